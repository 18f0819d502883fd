/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which pages of the file count, by the bitmaps of its RAM blocks. */

#include <config.h>

#include "guest/mapped_ram.h"
#include "util/bytes.h"

static uint64_t
block_end (const struct ram_block *block)
{
  return block->pages_offset + block->used_bytes;
}

/* The first block whose page region ends after OFFSET, or block_count.  An
 * ignored block has no place in the file: an earlier one decides for it.
 */
static size_t
first_block_after (const struct mapped_ram *ram, uint64_t offset)
{
  size_t low = 0, high = ram->block_count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;
    size_t placed = middle;

    while (placed > low && ram->blocks[placed].ignored)
      placed--;
    if (ram->blocks[placed].ignored ||
        block_end (&ram->blocks[placed]) <= offset)
      low = middle + 1;
    else
      high = placed;
  }
  return low;
}

static void
clear_range (uint8_t *map, uint64_t first, uint64_t end)
{
  while (first < end && first % 8 != 0)
    bitmap_clear (map, first++);
  if (end - first >= 8) {
    memset (map + first / 8, 0, (end - first) / 8);
    first = align_down (end, 8);
  }
  while (first < end)
    bitmap_clear (map, first++);
}

/* A stretch of the file. */
struct run {
  uint64_t start, end;
};

/* The first absent pages of BLOCK that lie, in part, in the stretch WITHIN,
 * cut off at its borders.  Returns false when there are none.
 */
static bool
next_absent (const struct ram_block *block, struct run within, struct run *run)
{
  uint64_t start = maximum_u64 (within.start, block->pages_offset);
  uint64_t end = minimum_u64 (within.end, block_end (block));
  uint64_t limit, clear, set;

  if (start >= end)
    return false;
  limit = divide_up (end - block->pages_offset, block->page_bytes);
  clear = bitmap_next_clear (block->bitmap, (start - block->pages_offset)
                             / block->page_bytes, limit);
  if (clear >= limit)
    return false;
  set = bitmap_next_set (block->bitmap, clear, limit);
  run->start = maximum_u64 (start, block->pages_offset
                            + clear * block->page_bytes);
  run->end = minimum_u64 (end, block->pages_offset + set * block->page_bytes);
  return true;
}

/* Mask the part of BLOCK that lies in the file range WITHIN.  Pages of the
 * guest may be smaller than those of MAP: one of these is absent when all of
 * its bytes are.
 */
static void
mask_block (const struct ram_block *block, struct run within, uint8_t *map)
{
  struct run left = within, run;

  for (; next_absent (block, left, &run); left.start = run.end) {
    uint64_t first = divide_up (run.start - within.start, PAGE_BYTES);
    uint64_t end = (run.end - within.start) / PAGE_BYTES;

    if (first < end)
      clear_range (map, first, end);
  }
}

void
mapped_ram_mask (const struct mapped_ram *ram, uint64_t offset,
                 uint32_t pages, uint8_t *map)
{
  struct run range = { offset, offset + (uint64_t) pages * PAGE_BYTES };
  size_t i;

  for (i = first_block_after (ram, offset); i < ram->block_count; i++) {
    const struct ram_block *block = &ram->blocks[i];

    if (block->ignored)
      continue;
    if (block->pages_offset >= range.end)
      break;
    mask_block (block, range, map);
  }
}

void
mapped_ram_clear_absent (const struct mapped_ram *ram, uint64_t offset,
                         uint8_t *bytes, size_t length)
{
  size_t i = ram->small_pages ? first_block_after (ram, offset)
    : ram->block_count;

  for (; i < ram->block_count; i++) {
    const struct ram_block *block = &ram->blocks[i];
    struct run left = { offset, offset + length }, run;

    if (block->ignored)
      continue;
    if (block->pages_offset >= left.end)
      break;
    for (; next_absent (block, left, &run); left.start = run.end)
      memset (bytes + (run.start - offset), 0, run.end - run.start);
  }
}

/* The number of the first hole of the bitmap that ends after PAGE. */
static size_t
first_hole_after (const struct ram_block *block, uint64_t page)
{
  size_t low = 0, high = block->hole_count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;

    if (block->holes[middle].end <= page)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* The part of the bitmap from *PAGE on that stands before the next hole: *PAGE
 * moves out of one.  HOLE is that of first_hole_after.  Returns its end.
 */
static uint64_t
next_part (const struct ram_block *block, size_t *hole, uint64_t *page,
           uint64_t limit)
{
  while (*hole < block->hole_count && block->holes[*hole].first <= *page)
    *page = maximum_u64 (*page, block->holes[(*hole)++].end);
  *page = minimum_u64 (*page, limit);
  return *hole < block->hole_count
    ? minimum_u64 (block->holes[*hole].first, limit) : limit;
}

/* The first present page at or after PAGE, or the number of pages. */
static uint64_t
next_present_page (const struct ram_block *block, uint64_t page)
{
  size_t hole = first_hole_after (block, page);

  while (page < block->page_count) {
    uint64_t end = next_part (block, &hole, &page, block->page_count);

    page = bitmap_next_set (block->bitmap, page, end);
    if (page < end)
      return page;
  }
  return block->page_count;
}

uint64_t
mapped_ram_count (const struct ram_block *block, uint64_t first, uint64_t end)
{
  size_t hole = first_hole_after (block, first);
  uint64_t count = 0;

  while (first < end) {
    uint64_t part_end = next_part (block, &hole, &first, end);

    count += bitmap_count (block->bitmap, first, part_end - first);
    first = part_end;
  }
  return count;
}

/* Where the first present page of BLOCK at or after OFFSET, a file offset
 * inside it, or the end of its region lies: the 4 KiB page.
 */
static uint64_t
next_in_block (const struct ram_block *block, uint64_t offset)
{
  uint64_t page = (offset - block->pages_offset) / block->page_bytes;
  uint64_t present = next_present_page (block, page);

  return maximum_u64 (offset, align_down (block->pages_offset + present
                                          * block->page_bytes, PAGE_BYTES));
}

/* The first absent byte of BLOCK in the stretch WITHIN, as far as the block
 * goes; the end of both when there is none.
 */
static uint64_t
first_absent (const struct ram_block *block, struct run within)
{
  uint64_t start = maximum_u64 (within.start, block->pages_offset);
  uint64_t end = minimum_u64 (within.end, block_end (block));
  uint64_t clear;

  if (start >= end)
    return end;
  clear = bitmap_next_clear (block->bitmap, (start - block->pages_offset)
                             / block->page_bytes, block->page_count);
  return minimum_u64 (end, maximum_u64 (start, block->pages_offset
                                        + clear * block->page_bytes));
}

/* The first page of the file from OFFSET on that is absent with all its bytes,
 * or the end of BLOCK.
 */
static uint64_t
first_absent_page (const struct ram_block *block, uint64_t offset)
{
  uint64_t end = block_end (block);
  struct run run;

  while ((offset = first_absent (block, (struct run) { offset, end })) < end) {
    uint64_t start = align_up (offset, PAGE_BYTES);
    struct run page = { start, start + PAGE_BYTES };

    if (!next_absent (block, page, &run))
      offset = page.end;
    else if (run.start == page.start && run.end == page.end)
      return page.start;
    else
      offset = run.end;
  }
  return end;
}

uint64_t
mapped_ram_next_absent (const struct mapped_ram *ram, uint64_t offset)
{
  size_t i;

  for (i = first_block_after (ram, offset); i < ram->block_count; i++) {
    const struct ram_block *block = &ram->blocks[i];
    uint64_t page;

    if (block->ignored)
      continue;
    page = first_absent_page (block, offset);
    if (page < block_end (block))
      return page;
  }
  return UINT64_MAX;
}

uint64_t
mapped_ram_next_present (const struct mapped_ram *ram, uint64_t offset)
{
  size_t i;

  offset = align_up (offset, PAGE_BYTES);
  for (i = first_block_after (ram, offset); i < ram->block_count; i++) {
    const struct ram_block *block = &ram->blocks[i];
    uint64_t present;

    if (block->ignored)
      continue;
    if (offset < block->pages_offset)
      break;
    present = next_in_block (block, offset);
    if (present < block_end (block))
      return present;
    offset = present;
  }
  return offset;
}

uint64_t
mapped_ram_next_region (const struct mapped_ram *ram, uint64_t offset)
{
  size_t i;

  for (i = first_block_after (ram, offset); i < ram->block_count; i++)
    if (!ram->blocks[i].ignored)
      return ram->blocks[i].pages_offset;
  return UINT64_MAX;
}

uint64_t
mapped_ram_region_bytes (const struct mapped_ram *ram)
{
  uint64_t bytes = 0;
  size_t i;

  for (i = 0; i < ram->block_count; i++)
    if (!ram->blocks[i].ignored)
      bytes += ram->blocks[i].used_bytes;
  return bytes;
}
