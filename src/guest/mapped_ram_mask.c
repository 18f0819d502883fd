/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which pages of the file count, by the bitmaps of its RAM blocks. */

#include <config.h>

#include "mapped_ram.h"
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
    if (ram->blocks[placed].ignored
        || block_end (&ram->blocks[placed]) <= offset)
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

/* Mask the part of BLOCK that lies in the file range OFFSET .. END.  Pages
 * of the file are counted from the block's first one.
 */
static void
mask_block (const struct ram_block *block, uint64_t offset, uint64_t end,
            uint8_t *map)
{
  uint64_t from = maximum_u64 (offset, block->pages_offset);
  uint64_t to = minimum_u64 (end, block_end (block));
  uint64_t first = (from - block->pages_offset) / PAGE_BYTES;
  uint64_t last = (to - block->pages_offset) / PAGE_BYTES;
  uint64_t map_bit = (from - offset) / PAGE_BYTES;
  uint64_t factor = block->page_bytes / PAGE_BYTES;
  uint64_t limit = divide_up (last, factor);
  uint64_t clear = bitmap_next_clear (block->bitmap, first / factor, limit);

  while (clear < limit) {
    uint64_t set = bitmap_next_set (block->bitmap, clear, limit);
    uint64_t run = maximum_u64 (clear * factor, first);
    uint64_t run_end = minimum_u64 (set * factor, last);

    clear_range (map, map_bit + run - first, map_bit + run_end - first);
    clear = bitmap_next_clear (block->bitmap, set, limit);
  }
}

void
mapped_ram_mask (const struct mapped_ram *ram, uint64_t offset,
                 uint32_t pages, uint8_t *map)
{
  uint64_t end = offset + (uint64_t) pages * PAGE_BYTES;
  size_t i;

  for (i = first_block_after (ram, offset); i < ram->block_count; i++) {
    const struct ram_block *block = &ram->blocks[i];

    if (block->ignored)
      continue;
    if (block->pages_offset >= end)
      break;
    mask_block (block, offset, end, map);
  }
}

/* The first present page of BLOCK at or after OFFSET, a file offset inside
 * it, or the end of its region.
 */
static uint64_t
next_in_block (const struct ram_block *block, uint64_t offset)
{
  uint64_t page = (offset - block->pages_offset) / block->page_bytes;
  uint64_t present = bitmap_next_set (block->bitmap, page, block->page_count);

  return maximum_u64 (offset,
                      block->pages_offset + present * block->page_bytes);
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
