/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking for records in a file of which nothing is taken for granted. */

#ifndef IOPRESS_SALVAGE_SCAN_H
#define IOPRESS_SALVAGE_SCAN_H

#include "format/index.h"
#include "io/file.h"

/* A record whose every checksum is right. */
struct found_record {
  struct record_header header;
  uint64_t offset;             /* in the file */
};

/* An index header whose checksum is right. */
struct found_index {
  uint64_t offset;             /* in the file */
  uint8_t bytes[INDEX_HEADER_BYTES + INDEX_ENTRY_BYTES];  /* first entry, too */
};

struct salvage_scan {
  struct found_record *records;        /* by file offset */
  size_t record_count;
  struct found_record *damaged;        /* header right, the rest not */
  size_t damaged_count;
  struct found_index *indexes;         /* by file offset */
  size_t index_count;
};

/* Search FILE from byte START on for records of the image with HEADER, or when
 * it is NULL of any.  Parts that cannot be read are passed over, and so are
 * holes.  No byte is read more than some constant number of times.  Returns 0,
 * or -1 with ERR when out of memory or cancelled.  Free with scan_free.
 */
int scan_for_records (const struct file *file, uint64_t start,
                      const struct file_header *header,
                      struct salvage_scan *scan, struct error *err);

void scan_free (struct salvage_scan *scan);

#endif /* IOPRESS_SALVAGE_SCAN_H */
