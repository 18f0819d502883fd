/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzz target: any bytes as a mapped-ram file, through parsing, the check
 * for completeness, and the page mask.
 */

#include <config.h>

#include "fuzz.h"
#include "guest/mapped_ram.h"
#include "lib/mapped_ram_image.h"
#include "util/bytes.h"

const unsigned int fuzz_message_count = 43;
const unsigned long fuzz_mutation_count = 30000;

#define WINDOW_PAGES 64u

/* Count an outcome, with what is quoted in its message left out: names come
 * from the input.
 */
static int
outcome (int result, const struct error *err)
{
  struct error nameless = *err;
  char *first = strstr (nameless.what, " '");
  char *last = strrchr (nameless.what, '\'');

  if (first != NULL)
    memmove (first, last + 1, strlen (last + 1) + 1);
  return fuzz_outcome (result, &nameless);
}

static void
walk_blocks (const struct mapped_ram *ram, uint64_t size)
{
  uint64_t reached = ram->stream_offset;
  size_t i;

  for (i = 0; i < ram->block_count; i++) {
    const struct ram_block *block = &ram->blocks[i];

    FUZZ_ASSERT (block->used_bytes == block->page_count * block->page_bytes);
    if (block->ignored)
      continue;
    FUZZ_ASSERT (block->bitmap_offset > reached);
    FUZZ_ASSERT (block->pages_offset >= block->bitmap_offset);
    FUZZ_ASSERT (block->present_count <= block->page_count);
    reached = block->pages_offset + block->used_bytes;
    FUZZ_ASSERT (reached < size);
  }
  FUZZ_ASSERT (reached < ram->ram_end && ram->ram_end <= size);
}

/* The mask and the walk from present page to present page agree. */
static void
walk_pages (const struct mapped_ram *ram, uint64_t size)
{
  uint64_t offset, page;

  for (offset = 0; offset < size; offset += WINDOW_PAGES * PAGE_BYTES) {
    uint8_t map[WINDOW_PAGES / 8];

    memset (map, 0xff, sizeof map);
    mapped_ram_mask (ram, offset, WINDOW_PAGES, map);
    for (page = 0; page < WINDOW_PAGES; page++) {
      uint64_t at = offset + page * PAGE_BYTES;

      FUZZ_ASSERT (bitmap_test (map, page)
                   == (mapped_ram_next_present (ram, at) == at));
    }
  }
}

/* As if no page were present. */
static void
clear_bitmaps (struct mapped_ram *ram)
{
  size_t i;

  for (i = 0; i < ram->block_count; i++) {
    struct ram_block *block = &ram->blocks[i];

    block->present_count = 0;
    if (!block->ignored)
      memset (block->bitmap, 0, divide_up (block->page_count, 8));
  }
}

/* The first byte: whether holes are passed over, whether bitmaps count as
 * clear, and where the stream begins.
 */
int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t length)
{
  struct image image = { .bytes = (uint8_t *) bytes + 1, .size = length - 1 };
  struct read_at file;
  struct mapped_ram *ram;
  enum stream_kind kind;
  struct error err = { 0 };
  uint64_t offset;

  if (length == 0)
    return 0;
  file = image_reader (&image, (bytes[0] & 1) != 0);
  offset = bytes[0] >> 1 & 15;
  FUZZ_ASSERT (mapped_ram_probe (&file, offset, &kind, &err) == 0);
  FUZZ_ASSERT (err.kind == ERROR_NONE);
  if (!outcome (mapped_ram_parse (&file, offset, &ram, &err), &err)) {
    FUZZ_ASSERT (ram == NULL);
    return 0;
  }
  FUZZ_ASSERT (kind == STREAM_MAPPED_RAM);
  if (bytes[0] >= 0x20)
    clear_bitmaps (ram);
  outcome (mapped_ram_check_complete (&file, ram, &err), &err);
  walk_blocks (ram, file.size);
  walk_pages (ram, file.size);
  mapped_ram_free (ram);
  return 0;
}

static struct image_shape
seed_shape (unsigned int number)
{
  return (struct image_shape) {
    .offset = number % 3,
    .ignore_shared = (number & 1) != 0,
    .page_bits_and_uuid = (number & 2) != 0,
    .commands = number % 5,
    .early_bytes = number & 4 ? 50 : 0,
    .no_footers = (number & 8) != 0,
    .no_json = (number & 16) != 0,
    .block_count = 1 + number % 3,
    .blocks = {
      { .name = "pc.ram", .pages = number % 3 == 0 ? "1s" : "1" },
      { .name = "vga", .pages = "z", .page_bytes = 4096u << (number & 4) / 4 },
      { .name = "shared", .pages = "1", .ignored = (number & 1) != 0 },
    },
  };
}

size_t
fuzz_seed (unsigned int number, uint8_t *bytes)
{
  struct image_shape shape = seed_shape (number);
  struct image image;
  size_t length;

  if (number >= 32)
    return 0;
  image_build (&shape, &image);
  length = 1 + image.size;
  FUZZ_ASSERT (length <= FUZZ_BYTES_MAX);
  bytes[0] = (uint8_t) (shape.offset << 1 | (number & 1));
  memcpy (bytes + 1, image.bytes, image.size);
  image_free (&image);
  return length;
}
