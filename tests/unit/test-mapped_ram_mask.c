/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit tests of src/guest/mapped_ram_mask.c: which pages count. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/mapped_ram_image.h"
#include "util/bytes.h"

static const struct image_shape rich = {
  .offset = 5000, .ignore_shared = true, .block_count = 12,
  .blocks = {
    { .name = "ignored", .pages = "11", .ignored = true },
    { .name = "a", .pages = "10s11000000000000000000000z1111111111100001" },
    { .name = "ignored", .pages = "1", .ignored = true },
    { .name = "b", .pages = "0110", .page_bytes = 65536 },
    { .name = "c", .pages = "" },
    { .name = "ignored", .pages = "1", .ignored = true },
    { .name = "ignored", .pages = "1", .ignored = true },
    { .name = "d", .pages = "000000000000000000000" },
    { .name = "ignored", .pages = "1", .ignored = true },
    /* Pages of the guest that are smaller than those of the file, and a
     * region that ends inside one of these.
     */
    { .name = "e", .pages = "1s0s" "s00s" "s11s" "0000" "0001" "1000" "ss",
      .page_bytes = 1024 },
    { .name = "f", .pages = "0000000000000000" "ss0000000000000z0"
      "0000000000000001" "01", .page_bytes = 256 },
    { .name = "g", .pages = "s01s" },
  },
};

struct fixture {
  struct image image;
  struct mapped_ram *ram;
};

static int
set_up (void **state)
{
  static struct fixture fixture;
  struct read_at file;
  struct error err = { 0 };

  image_build (&rich, &fixture.image);
  file = image_reader (&fixture.image, false);
  *state = &fixture;
  return mapped_ram_parse (&file, rich.offset, &fixture.ram, &err);
}

static int
tear_down (void **state)
{
  struct fixture *fixture = *state;

  mapped_ram_free (fixture->ram);
  image_free (&fixture->image);
  return 0;
}

/* The rule in its plainest form, for a byte of the file. */
static bool
byte_counts (const struct mapped_ram *ram, uint64_t offset)
{
  size_t i;

  for (i = 0; i < ram->block_count; i++) {
    const struct ram_block *block = &ram->blocks[i];

    if (!block->ignored && offset >= block->pages_offset
        && offset < block->pages_offset + block->used_bytes)
      return bitmap_test (block->bitmap, (offset - block->pages_offset)
                          / block->page_bytes);
  }
  return true;
}

/* For the page at OFFSET: one byte that counts is enough. */
static bool
counts (const struct mapped_ram *ram, uint64_t offset)
{
  uint64_t at;

  for (at = offset; at < offset + PAGE_BYTES; at += 64)
    if (byte_counts (ram, at))
      return true;
  return false;
}

static void
assert_mask (const struct mapped_ram *ram, uint64_t first, uint32_t pages)
{
  uint8_t map[64];
  uint32_t page;

  memset (map, 0xff, sizeof map);
  if (pages > 3)
    bitmap_clear (map, 3);
  mapped_ram_mask (ram, first * PAGE_BYTES, pages, map);
  for (page = 0; page < pages; page++)
    if (bitmap_test (map, page)
        != (page != 3 && counts (ram, (first + page) * PAGE_BYTES)))
      fail_msg ("page %u of range %u+%u", page, (unsigned int) first, pages);
  for (; page < sizeof map * 8; page++)
    assert_true (bitmap_test (map, page));
}

/* Every range of the file, in every length. */
static void
test_mask (void **state)
{
  const struct fixture *fixture = *state;
  uint64_t pages = fixture->image.size / PAGE_BYTES + 5;
  uint64_t first;
  uint32_t length;

  assert_true (pages < 500);
  for (first = 0; first < pages; first++)
    for (length = 0; length <= 256; length += length < 20 ? 1 : 59)
      assert_mask (fixture->ram, first, length);
}

static void
test_next_present (void **state)
{
  const struct fixture *fixture = *state;
  uint64_t offset, expected;

  for (offset = 0; offset < fixture->image.size + 20000; offset += 511) {
    expected = align_up (offset, PAGE_BYTES);
    while (!counts (fixture->ram, expected))
      expected += PAGE_BYTES;
    assert_int_equal (mapped_ram_next_present (fixture->ram, offset),
                      expected);
  }
  assert_true (mapped_ram_next_present (fixture->ram, INT64_MAX - 4095)
               == INT64_MAX - 4095);
}

/* Any stretch of the file: bytes that count stay, others go. */
static void
test_clear_absent (void **state)
{
  const struct fixture *fixture = *state;
  static const size_t lengths[] = { 0, 1, 4096, 12288, 100000 };
  uint8_t *bytes = malloc (100000);
  uint64_t offset;
  size_t i, at;

  assert_non_null (bytes);
  for (offset = 0; offset < fixture->image.size; offset += PAGE_BYTES)
    for (i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
      memset (bytes, 0xa5, lengths[i]);
      mapped_ram_clear_absent (fixture->ram, offset, bytes, lengths[i]);
      for (at = 0; at < lengths[i]; at += 64)
        if ((bytes[at] != 0) != byte_counts (fixture->ram, offset + at))
          fail_msg ("byte %zu of %zu from %llu on", at, lengths[i],
                    (unsigned long long) offset);
    }
  free (bytes);
}

/* Where no page is smaller than the file's there is nothing to do. */
static void
test_nothing_to_clear (void **state)
{
  static const struct image_shape plain = {
    .block_count = 1, .blocks = { { .name = "a", .pages = "s" } },
  };
  struct image image;
  struct mapped_ram *ram;
  struct read_at file;
  struct error err = { 0 };
  uint8_t page[PAGE_BYTES] = { 1 };

  (void) state;
  image_build (&plain, &image);
  file = image_reader (&image, false);
  assert_int_equal (mapped_ram_parse (&file, 0, &ram, &err), 0);
  mapped_ram_clear_absent (ram, ram->blocks[0].pages_offset, page,
                           sizeof page);
  assert_int_equal (page[0], 1);
  mapped_ram_free (ram);
  image_free (&image);
}

static void
test_next_absent (void **state)
{
  const struct fixture *fixture = *state;
  uint64_t size = fixture->image.size, offset, expected;

  for (offset = 0; offset < size + 20000; offset += 511) {
    expected = align_up (offset, PAGE_BYTES);
    while (expected < size && counts (fixture->ram, expected))
      expected += PAGE_BYTES;
    if (expected >= size)
      expected = UINT64_MAX;
    assert_true (mapped_ram_next_absent (fixture->ram, offset) == expected);
  }
}

/* Holes of the bitmap are passed over, whatever its bits are there. */
static void
test_bitmap_holes (void **state)
{
  uint8_t bitmap[4] = { 0xff, 0xff, 0xff, 0xff };
  struct page_range holes[] = { { 0, 8 }, { 10, 12 }, { 12, 20 }, { 24, 32 } };
  struct ram_block block = {
    .page_bytes = 4096, .page_count = 32, .used_bytes = 32 * 4096,
    .bitmap = bitmap, .holes = holes, .hole_count = 4,
  };
  struct mapped_ram ram = { .block_count = 1, .blocks = &block };
  uint64_t page, end, next = 32;

  (void) state;
  for (page = 32; page-- > 0; ) {
    bool present = page == 8 || page == 9 || (page >= 20 && page < 24);

    next = present ? page : next;
    assert_true (mapped_ram_next_present (&ram, page * 4096) == next * 4096);
    for (end = page; end <= 32; end++)
      assert_true (mapped_ram_count (&block, page, end) ==
                   mapped_ram_count (&block, page, 32) -
                   mapped_ram_count (&block, end, 32));
    assert_true (mapped_ram_count (&block, page, page + 1) == present);
  }
}

static void
test_no_blocks (void **state)
{
  struct mapped_ram ram = { 0 };
  uint8_t map[1] = { 0xa5 };

  (void) state;
  mapped_ram_mask (&ram, 0, 8, map);
  assert_int_equal (map[0], 0xa5);
  assert_int_equal (mapped_ram_next_present (&ram, 4097), 8192);
  assert_true (mapped_ram_next_absent (&ram, 0) == UINT64_MAX);
}

/* 1 TiB with one page at the end: two steps, however much lies between. */
static void
test_huge_block (void **state)
{
  uint64_t pages = UINT64_C (1) << 28, last;
  struct ram_block block = {
    .page_bytes = 4096, .page_count = pages, .used_bytes = pages * 4096,
    .pages_offset = 1 << 20, .bitmap = calloc (pages / 8, 1),
  };
  struct mapped_ram ram = { .block_count = 1, .blocks = &block };

  (void) state;
  assert_non_null (block.bitmap);
  bitmap_set (block.bitmap, pages - 1);
  last = block.pages_offset + (pages - 1) * 4096;
  assert_true (mapped_ram_next_present (&ram, 1 << 20) == last);
  assert_true (mapped_ram_next_present (&ram, last) == last);
  assert_true (mapped_ram_next_present (&ram, last + 1) == last + 4096);
  free (block.bitmap);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_mask, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_next_present, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_clear_absent, set_up, tear_down),
    cmocka_unit_test (test_nothing_to_clear),

    cmocka_unit_test_setup_teardown (test_next_absent, set_up, tear_down),
    cmocka_unit_test (test_bitmap_holes),
    cmocka_unit_test (test_no_blocks),
    cmocka_unit_test (test_huge_block),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
