/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Going on with an image that an earlier run left unfinished. */

#ifndef IOPRESS_SAFETY_RESUME_H
#define IOPRESS_SAFETY_RESUME_H

#include "format/marker.h"
#include "guest/mapped_ram.h"
#include "image/decode.h"
#include "image/image.h"
#include "image/source_layout.h"
#include "safety/discard.h"

/* What an earlier run has left. */
struct resume {
  struct image *image;         /* entries of its valid records; bytes: the end
                                * of the last one */
  bool finished;               /* its footer is there: nothing of it is to be
                                * written again, whatever is damaged */
  bool complete;               /* so are index and all records */
  uint64_t covered_bytes;      /* every page of the source before this offset
                                * is in a record, or was absent */
  enum source_left left;       /* of the source; the one place where that is
                                * known, see discard.h */
  struct marker marker;        /* of a source that is partly gone */
  bool prefix_differs;         /* the source is whole, and the prefix of the
                                * image is not its own */
  bool prefix_lost;            /* it has zeros wherever it differs */
};

/* See what is left of SOURCE: its marker, if it has one, and whether it holds
 * anything; a source without marker that does is whole, since the page of the
 * marker is the last to go.  First of all: whatever fails later is another kind
 * of failure when part of the source is gone.  Returns 0, or -1 with ERR.
 */
int resume_read_marker (const struct file *source, struct resume *resume,
                        struct error *err);

/* Walk the records of IMAGE, opened but without index, and keep the longest
 * run of valid ones from the first on.  IMAGE becomes part of RESUME but stays
 * the caller's.  Returns 0, or -1 with ERR when the file cannot be read or the
 * image is an unordered one, which is not gone on with.
 */
int resume_walk (struct image *image, struct resume *resume,
                 struct error *err);

/* Refuse a SOURCE that does not belong to the image, or of which more is gone
 * than the image's records cover, or whose rest is not what the records say
 * where there are any; also one of zeros unless the image is complete.  A
 * source without marker is whole: its windows are compared with the records,
 * and its prefix, which no checksum covers, too; and unless the image is
 * complete, also with any whole record behind those that are kept, so that it
 * can be cut there.  DECODING says how to decode the image.  LAYOUT, to be
 * freed in any case, gets what the source was, unless it is one of zeros.
 * Returns 0, or -1 with ERR (ERROR_BAD_INPUT) that names what differs.
 */
int resume_check_source (struct resume *resume, const struct file *source,
                         const struct decoding *decoding,
                         struct source_layout *layout, struct error *err);

/* Whether FILE, which has no file header, is what a first run can leave that
 * died before its header was durable, which is before any record is written:
 * zeros, and what the head of an image of SOURCE begins with.  Returns 1, 0, or
 * -1 with ERR.
 */
int resume_is_bare_head (const struct file *file, const struct file *source,
                         uint64_t prefix_bytes, struct error *err);

#endif /* IOPRESS_SAFETY_RESUME_H */
