/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands somewhere in the head of a file, where nothing says where. */

#ifndef IOPRESS_IMAGE_CONTENT_SCAN_H
#define IOPRESS_IMAGE_CONTENT_SCAN_H

#include "format/marker.h"
#include "util/read_at.h"

struct scanned {
  enum {
    SCANNED_NOTHING,
    SCANNED_MARKER,            /* of an image that is half expanded */
    SCANNED_IMAGE,             /* a file header */
    SCANNED_STREAM,            /* QEMU's, and mapped-ram */
  } found;
  uint64_t offset;             /* where header or stream stands in the file */
  struct marker marker;
  struct error damaged;        /* what is wrong with a file header that is none,
                                * if there is one */
};

/* Find the first of them in the first 16 MiB of what AT reads, also in what the
 * file system calls holes, which may be wrong; a stream before SEARCH_BYTES.
 * Returns 0, or -1 with ERR.
 */
int content_scan (const struct read_at *at, uint64_t search_bytes,
                  struct scanned *scanned, struct error *err);

#endif /* IOPRESS_IMAGE_CONTENT_SCAN_H */
