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
#include "image/decode.h"
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
  struct mapped_ram *ram;      /* after salvage_settle; NULL: not known */
};

/* Search FILE, which is seekable and stays the caller's.  Unreadable parts
 * count as damage.  Returns 0, or -1 with ERR (ERROR_BAD_INPUT when there is
 * not one record).  Free with salvage_free.
 */
int salvage_search (struct file *file, struct salvage *salvage,
                    struct error *err);

void salvage_free (struct salvage *salvage);

/* Once the records have been unpacked: those of these COUNT windows were of no
 * use after all.  Find out what of QEMU's stream came back, with DECODING, and
 * leave out of the gaps what that says was absent.  Returns 0, or -1 with
 * ERR.
 */
int salvage_settle (struct salvage *salvage, const struct decoding *decoding,
                    const uint64_t *lost, size_t count, struct error *err);

#endif /* IOPRESS_SALVAGE_SALVAGE_H */
