/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps of a search, in the order in which they are taken. */

#ifndef IOPRESS_SALVAGE_SALVAGE_PRIVATE_H
#define IOPRESS_SALVAGE_SALVAGE_PRIVATE_H

#include "salvage/salvage.h"
#include "salvage/scan.h"

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

/* The records of these COUNT windows, each of which has one, could not be used
 * after all.  Returns 0, or -1 with ERR.
 */
int salvage_lose_windows (struct salvage *salvage, const uint64_t *windows,
                          size_t count, struct error *err);

/* The number of the first gap that ends behind WINDOW, or gap_count. */
size_t salvage_gap_at (const struct salvage *salvage, uint64_t window);

/* Whether any window of the source range is in a gap. */
bool salvage_range_missing (const struct salvage *salvage, uint64_t offset,
                            uint64_t length);

/* Leave out of the gaps what the RAM blocks say was absent anyway. */
int salvage_drop_absent (struct salvage *salvage, struct error *err);

#endif /* IOPRESS_SALVAGE_SALVAGE_PRIVATE_H */
