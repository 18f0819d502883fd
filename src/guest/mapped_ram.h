/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QEMU's mapped-ram stream: where the RAM blocks lie and which pages count.
 *
 * Source of the layout: QEMU docs/devel/migration/mapped-ram.rst,
 * migration/ram.c (mapped_ram_setup_ramblock, parse_ramblock_mapped_ram),
 * migration/savevm.c (section types).
 */

#ifndef IOPRESS_GUEST_MAPPED_RAM_H
#define IOPRESS_GUEST_MAPPED_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/read_at.h"

/* A range of pages. */
struct page_range {
  uint64_t first, end;         /* pages first .. end - 1 */
};

/* One RAM block. */
struct ram_block {
  char name[256];
  uint64_t used_bytes;         /* guest RAM it holds */
  uint64_t page_bytes;         /* guest page size, a power of two >= 256 */
  uint64_t bitmap_offset;      /* file offset; 0 when ignored */
  uint64_t pages_offset;       /* file offset; 0 when ignored */
  uint64_t page_count;         /* used_bytes / page_bytes */
  uint64_t present_count;      /* set bits */
  uint8_t *bitmap;             /* bit N of byte N / 8: page N is present */
  /* Where the file has holes in the place of the bitmap: all absent, and not to
   * be looked at.  Ascending; small holes are not listed.
   */
  struct page_range *holes;
  size_t hole_count;
  bool ignored;                /* x-ignore-shared: no bitmap, no pages */
};

/* A parsed stream.  Owned by the caller: mapped_ram_free. */
struct mapped_ram {
  uint64_t stream_offset;      /* where "QEVM" stands */
  char machine[256];           /* machine type of the CONFIG section, or "" */
  bool ignore_shared;
  bool has_footers;            /* section footers are on */
  bool small_pages;            /* a block has pages below PAGE_BYTES */
  size_t block_count;
  struct ram_block *blocks;    /* in file order, page regions ascending */
  uint64_t ram_end;            /* file offset just past the RAM section */
};

/* What stands at an offset. */
enum stream_kind {
  STREAM_NONE,                 /* no QEMU stream */
  STREAM_PLAIN,                /* a QEMU stream without mapped-ram */
  STREAM_MAPPED_RAM,           /* a QEMU stream with mapped-ram announced */
};

/* Look at OFFSET: is there a QEMU stream, and does its CONFIG section list
 * the capability "mapped-ram"?  Returns 0 and *KIND, or -1 on a read error.
 */
int mapped_ram_probe (const struct read_at *file, uint64_t offset,
                      enum stream_kind *kind, struct error *err);

/* Parse the stream at OFFSET: headers, RAM blocks and their bitmaps.
 * Checks every bound (blocks within the file, ascending, bitmap after its
 * header, pages after the bitmap, total = sum).  Returns 0 and *RAM, or -1
 * with ERR (ERROR_BAD_INPUT saying what is wrong at which offset).
 */
int mapped_ram_parse (const struct read_at *file, uint64_t offset,
                      struct mapped_ram **ram, struct error *err);

/* The RAM blocks that can still be read of a damaged stream, from the first
 * one on; NULL when there is none.  Free with mapped_ram_free.
 */
struct mapped_ram *mapped_ram_parse_partly (const struct read_at *file,
                                            uint64_t offset);

/* Check that QEMU had finished writing and that the file can be restored:
 * the tail is there (EOF, or EOF and the JSON description ending exactly at
 * the end of the file), and the bitmaps are not all clear while pages hold
 * data.  Returns 0, or -1 with ERR (ERROR_BAD_INPUT) telling apart: still
 * being written or cancelled; cut off; a background snapshot.
 */
int mapped_ram_check_complete (const struct read_at *file,
                               const struct mapped_ram *ram,
                               struct error *err);

/* Refuse a QEMU stream without mapped-ram that cannot be whole: what follows
 * OFFSET has neither QEMU's end with its JSON description as its last bytes,
 * nor a zero as the last one, which may be an end without description, or
 * padding behind one, and says no more.  Returns 0, or -1 with ERR
 * (ERROR_BAD_INPUT).
 */
int plain_stream_check_end (const struct read_at *file, uint64_t offset,
                            struct error *err);

/* Free; NULL is ignored. */
void mapped_ram_free (struct mapped_ram *ram);

/* Which 4 KiB pages of the file range OFFSET .. OFFSET + 4096 * PAGES (both
 * multiples of 4096) can count: clears in MAP (bit N: page N of the range)
 * the bits of pages that lie wholly inside page regions and are clear in
 * their bitmaps.  Bits of pages outside the page regions stay as they are.
 */
void mapped_ram_mask (const struct mapped_ram *ram, uint64_t offset,
                      uint32_t pages, uint8_t *map);

/* A page of the file that mapped_ram_mask leaves can hold several of the
 * guest, when these are smaller: zeros, in BYTES, which are LENGTH bytes of
 * the file from OFFSET on, those of them that are absent, for what they hold
 * is as stale as that of absent pages of any size.  Does nothing unless
 * small_pages.
 */
void mapped_ram_clear_absent (const struct mapped_ram *ram, uint64_t offset,
                              uint8_t *bytes, size_t length);

/* The first file offset >= OFFSET at which mapped_ram_mask would begin to
 * clear, or UINT64_MAX when there is none.
 */
uint64_t mapped_ram_next_absent (const struct mapped_ram *ram,
                                 uint64_t offset);

/* How many pages of BLOCK, not an ignored one, are present from page FIRST to
 * page END - 1.
 */
uint64_t mapped_ram_count (const struct ram_block *block, uint64_t first,
                           uint64_t end);

/* The first file offset >= OFFSET, a multiple of 4096, that mapped_ram_mask
 * would not clear: lets the reader pass over absent memory.  Returns
 * UINT64_MAX never: past the last page region every offset counts.
 */
uint64_t mapped_ram_next_present (const struct mapped_ram *ram,
                                  uint64_t offset);

/* The first page region that ends behind file offset OFFSET: where it begins,
 * UINT64_MAX when there is none.  What lies outside of all regions counts
 * whatever the bitmaps say.
 */
uint64_t mapped_ram_next_region (const struct mapped_ram *ram,
                                 uint64_t offset);

/* How many bytes of the file lie in page regions. */
uint64_t mapped_ram_region_bytes (const struct mapped_ram *ram);

#endif /* IOPRESS_GUEST_MAPPED_RAM_H */
