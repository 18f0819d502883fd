/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking for records in a file of which nothing is taken for granted. */

#ifndef IOPRESS_PIPELINE_SALVAGE_SCAN_H
#define IOPRESS_PIPELINE_SALVAGE_SCAN_H

#include "pipeline/salvage.h"

/* A record whose every checksum is right. */
struct found_record {
  struct record_header header;
  uint64_t offset;             /* in the file */
};

struct salvage_scan {
  struct found_record *records;        /* by file offset */
  size_t record_count;
  uint64_t *index_offsets;     /* where an index may stand */
  size_t index_count;
};

/* Search FILE from byte START on.  Parts that cannot be read are passed over.
 * Returns 0, or -1 with ERR when out of memory.  Free with scan_free.
 */
int scan_for_records (const struct file *file, uint64_t start,
                      struct salvage_scan *scan, struct error *err);

void scan_free (struct salvage_scan *scan);

/* Fill in the gaps of SALVAGE, whose records are known.  Returns 0, or -1 with
 * ERR when out of memory.
 */
int salvage_find_gaps (struct salvage *salvage,
                       const struct salvage_scan *scan, struct error *err);

#endif /* IOPRESS_PIPELINE_SALVAGE_SCAN_H */
