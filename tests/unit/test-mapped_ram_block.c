/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit tests of src/guest/mapped_ram_block.c: RAM block headers. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/assert_error.h"
#include "lib/mapped_ram_image.h"
#include "util/bytes.h"

/* Fields of the header, from header_at on. */
#define VERSION 0
#define PAGE_SIZE 4
#define BITMAP_OFFSET 12
#define PAGES_OFFSET 20

static const struct image_shape two_blocks = {
  .block_count = 2,
  .blocks = {
    { .name = "pc.ram", .pages = "11011" }, { .name = "vga", .pages = "01" },
  },
};

static int
parse (struct image *image, struct mapped_ram **ram, struct error *err)
{
  struct read_at file = image_reader (image, false);

  return mapped_ram_parse (&file, 0, ram, err);
}

static void
assert_accepted (struct image *image, size_t blocks)
{
  struct mapped_ram *ram;
  struct error err = { 0 };

  if (parse (image, &ram, &err) == -1)
    fail_msg ("refused: %s", err.what);
  assert_int_equal (ram->block_count, blocks);
  mapped_ram_free (ram);
  image_free (image);
}

static void
assert_refused (struct image *image, const char *text)
{
  struct mapped_ram *ram;
  struct error err = { 0 };

  assert_int_equal (parse (image, &ram, &err), -1);
  assert_error (&err, ERROR_BAD_INPUT, text);
  image_free (image);
}

/* A file of TWO_BLOCKS with one be64 of a block's header changed. */
static struct image
changed (size_t block, size_t field, uint64_t value)
{
  struct image image;

  image_build (&two_blocks, &image);
  put_be64 (image.bytes + image.header_at[block] + field, value);
  return image;
}

static void
test_counts (void **state)
{
  struct image_shape shape = { 0 };
  struct image image;

  (void) state;
  image_build (&shape, &image);
  assert_accepted (&image, 0);
  for (; shape.block_count < 100; shape.block_count++)
    shape.blocks[shape.block_count] =
      (struct image_block) { .name = "", .pages = "1" };
  image_build (&shape, &image);
  assert_accepted (&image, 100);
}

static void
test_long_name (void **state)
{
  struct image_shape shape = two_blocks;
  struct image image;
  char name[256] = "";

  (void) state;
  memset (name, 'n', 255);
  shape.blocks[0].name = name;
  image_build (&shape, &image);
  assert_accepted (&image, 2);
  image_build (&shape, &image);
  put_be64 (image.bytes + image.header_at[0] + PAGE_SIZE, 0);
  assert_refused (&image, name);
}

static void
test_empty_block (void **state)
{
  struct image_shape shape = two_blocks;
  struct image image;

  (void) state;
  shape.blocks[0].pages = "";
  image_build (&shape, &image);
  assert_accepted (&image, 2);
}

/* AVR's, that of ARM before version 7, and those of large hosts. */
static void
test_page_sizes (void **state)
{
  static const uint64_t sizes[] = { 256, 1024, 2048, 4096, 65536 };
  struct image_shape shape = two_blocks;
  struct image image;
  size_t i;

  (void) state;
  for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    shape.blocks[0].page_bytes = sizes[i];
    image_build (&shape, &image);
    assert_accepted (&image, 2);
  }
}

static void
test_refused_version (void **state)
{
  struct image image;

  (void) state;
  image_build (&two_blocks, &image);
  put_be32 (image.bytes + image.header_at[1] + VERSION, 2);
  assert_refused (&image, "RAM block 'vga': header at byte");
  image_build (&two_blocks, &image);
  put_be32 (image.bytes + image.header_at[1] + VERSION, 0);
  assert_refused (&image, "has version 0, only 1 is known");
}

static void
test_refused_page_sizes (void **state)
{
  static const uint64_t sizes[] = {
    0, 1, 128, 255, 257, 4095, 4097, 12288, UINT64_MAX,
  };
  struct image image;
  size_t i;

  (void) state;
  for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    image = changed (0, PAGE_SIZE, sizes[i]);
    assert_refused (&image, "is not a power of two of at least 256");
  }
  image = changed (0, PAGE_SIZE, 8192);
  assert_refused (&image, "its 20480 bytes are not whole pages of 8192");
  image = changed (0, PAGE_SIZE, UINT64_C (1) << 63);
  assert_refused (&image, "are not whole pages of 9223372036854775808");
}

static void
test_refused_order (void **state)
{
  struct image image;

  (void) state;
  image = changed (1, BITMAP_OFFSET, 4096 * 6);
  assert_refused (&image, "RAM block 'vga': its bitmap at byte");
  image = changed (1, BITMAP_OFFSET, 0);
  assert_refused (&image, "its bitmap at byte 0 lies before the end of");
  image = changed (0, PAGES_OFFSET, 0);
  assert_refused (&image, "its pages at byte 0 lie before the end of");
  image = changed (0, BITMAP_OFFSET, 4096 - 7);
  assert_refused (&image, "its pages at byte 4096 lie before the end of");
  image = changed (0, BITMAP_OFFSET, UINT64_MAX - 3);
  assert_refused (&image, "its pages at byte 4096 lie before the end of");
  image = changed (0, PAGES_OFFSET, 4097);
  assert_refused (&image, "do not begin at a multiple of 4096");
}

static void
test_refused_bounds (void **state)
{
  struct image image;

  (void) state;
  image = changed (1, PAGES_OFFSET, UINT64_C (1) << 40);
  assert_refused (&image, "before the end of the pages of RAM block 'vga'");
  image = changed (1, PAGES_OFFSET, UINT64_MAX - 4095);
  assert_refused (&image, "cut off: the file ends at byte");
}

/* Ignored blocks exist only where the capability says so. */
static void
test_refused_ignored (void **state)
{
  struct image_shape shape = two_blocks;
  struct image image;

  (void) state;
  shape.blocks[1].ignored = true;
  image_build (&shape, &image);
  assert_refused (&image, "its bitmap at byte 0 lies before the end of");
  shape.ignore_shared = true;
  image_build (&shape, &image);
  assert_accepted (&image, 2);
}

static void
test_refused_totals (void **state)
{
  struct image image;

  (void) state;
  image_build (&two_blocks, &image);
  put_be64 (image.bytes + image.total_at, 6 * 4096 | 4);
  assert_refused (&image, "RAM block 'vga': its 8192 bytes are more than the "
                  "4096 left of the announced total");
  image_build (&two_blocks, &image);
  put_be64 (image.bytes + image.total_at, 7 * 4096);
  assert_refused (&image, "does not begin with a list of RAM blocks at byte");
  image_build (&two_blocks, &image);
  put_be64 (image.bytes + image.total_at, 8 * 4096 | 4);
  assert_refused (&image, "are more than the 4096 left of the announced");
  image_build (&two_blocks, &image);
  put_be64 (image.bytes + image.block_at[0] + 7, UINT64_MAX - 4095);
  assert_refused (&image, "are more than the 28672 left");
}

static void
test_refused_names (void **state)
{
  struct image image;

  (void) state;
  image_build (&two_blocks, &image);
  image.bytes[image.block_at[1] + 2] = 0x1b;
  assert_refused (&image, "a RAM block name at byte");
}

/* 4097 ignored blocks of no pages: a list that need not end. */
static void
test_refused_endless (void **state)
{
  static uint8_t block[1 + 8 + 8 + 28];
  static uint8_t bytes[300 + 4097 * sizeof block];
  static const struct image_shape shape = {
    .ignore_shared = true, .block_count = 1,
    .blocks = { { .name = "", .pages = "1", .ignored = true } },
  };
  struct image image, endless = { .bytes = bytes };
  struct mapped_ram *ram;
  struct error err = { 0 };
  size_t i;

  (void) state;
  image_build (&shape, &image);
  memcpy (bytes, image.bytes, image.block_at[0]);
  endless.size = image.block_at[0];
  image_free (&image);
  put_be32 (block + 17, 1);
  put_be64 (block + 21, 4096);
  for (i = 0; i < 4097; i++) {
    memcpy (bytes + endless.size, block, sizeof block);
    endless.size += sizeof block;
  }
  assert_int_equal (parse (&endless, &ram, &err), -1);
  assert_error (&err, ERROR_BAD_INPUT, "more than 4096 RAM blocks");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_counts),
    cmocka_unit_test (test_long_name),
    cmocka_unit_test (test_empty_block),
    cmocka_unit_test (test_page_sizes),
    cmocka_unit_test (test_refused_version),
    cmocka_unit_test (test_refused_page_sizes),
    cmocka_unit_test (test_refused_order),
    cmocka_unit_test (test_refused_bounds),
    cmocka_unit_test (test_refused_ignored),
    cmocka_unit_test (test_refused_totals),
    cmocka_unit_test (test_refused_names),
    cmocka_unit_test (test_refused_endless),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
