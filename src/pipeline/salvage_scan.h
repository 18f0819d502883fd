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

/* Find the whole index of the image whose header SALVAGE has.  Without a file
 * header it may turn out that the image is an unordered one.  Returns 1, with
 * INDEX, whose entries are to be freed; 0 when there is none; or -1 with ERR.
 */
int salvage_find_index (struct salvage *salvage,
                        const struct salvage_scan *scan,
                        struct image_index *index, struct error *err);

/* Piece together the header that the records agree on, as far as they tell;
 * SCAN has one at least.  Guest memory may hold records of other images: ours
 * is the one with the most.  Returns 0, or -1 with ERR when out of memory.
 */
int salvage_piece_header (struct salvage *salvage,
                          const struct salvage_scan *scan, struct error *err);

/* Make the source of an unordered image, whose header may be older than its
 * records, as long as the longest of them says.
 */
void salvage_extend_source (struct salvage *salvage,
                            const struct salvage_scan *scan);

/* Keep the records of this image, one for each window: the ones that INDEX
 * names if it is not NULL, else the first or, of an unordered image, the last.
 * Returns 0, or -1 with ERR when out of memory.
 */
int salvage_take_records (struct salvage *salvage,
                          const struct salvage_scan *scan,
                          const struct image_index *index, struct error *err);

/* Forget the records that have no bytes. */
void salvage_drop_empty (struct image *image);

/* Fill in the gaps of SALVAGE, whose records are known, by INDEX if it is not
 * NULL.  Returns 0, or -1 with ERR when out of memory.
 */
int salvage_find_gaps (struct salvage *salvage,
                       const struct image_index *index, struct error *err);

#endif /* IOPRESS_PIPELINE_SALVAGE_SCAN_H */
