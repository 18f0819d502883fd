/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding what a damaged image still holds, and what it does not.
 *
 * A record counts only when every byte of it is under a right checksum and it
 * names the image, so nothing wrong is ever taken for right.  What is missing
 * is told by the index where one is whole, else by the gaps that the records
 * leave in the file: records stand one behind the other, so where two of
 * them touch, nothing is missing between their windows.
 */

#ifndef IOPRESS_SALVAGE_SALVAGE_H
#define IOPRESS_SALVAGE_SALVAGE_H

#include "guest/mapped_ram.h"
#include "image/image.h"
#include "plugin/iopress-plugin.h"

/* Windows that the image should have, or may have had, and has not. */
struct salvage_gap {
  uint64_t first, end;         /* windows first .. end - 1 */
  bool certain;                /* the index names each of them */
  uint64_t page_count;         /* if certain: pages that were present */
};

struct salvage {
  /* The header, found or pieced together from the records; entries of the
   * records found, by window; their count in footer.record_count.
   */
  struct image image;
  bool header_found;
  bool finished;               /* the footer stands at the end of the file */
  bool prefix_missing;         /* its bytes are not in the file any more */
  /* Of an unordered image: */
  bool versions_uncertain;     /* records may be older than what was last
                                * written: nothing tells which ones count */
  bool size_uncertain;         /* that of the source, which is the largest that
                                * a record names */
  uint64_t repeated_windows;   /* with several records, none proven to count */
  /* Without a header: how a frame of the codec begins, so many bytes; none when
   * all records are stored.
   */
  uint8_t frame[IOPRESS_CODEC_FRAME_START];
  size_t frame_bytes;
  struct salvage_gap *gaps;    /* ascending, apart from each other */
  size_t gap_count;
};

/* Search FILE, which is seekable and stays the caller's.  Unreadable parts
 * count as damage.  Returns 0, or -1 with ERR (ERROR_BAD_INPUT when there is
 * not one record).  Free with salvage_free.
 */
int salvage_search (struct file *file, struct salvage *salvage,
                    struct error *err);

void salvage_free (struct salvage *salvage);

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

/* Leave out of the gaps what RAM says was absent anyway. */
int salvage_drop_absent (struct salvage *salvage,
                         const struct mapped_ram *ram, struct error *err);

#endif /* IOPRESS_SALVAGE_SALVAGE_H */
