/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit tests of src/guest/mapped_ram_bitmap.c: reading page bitmaps. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guest/mapped_ram_sections.h"
#include "lib/assert_error.h"
#include "util/bytes.h"

/* A bitmap at an odd offset in a file that is all zero but for single bytes,
 * with a count of what was read.
 */
struct file {
  uint64_t bitmap_offset;
  uint64_t set_bytes[4];       /* offsets in the bitmap of 0xff bytes */
  bool liar;                   /* says that there is nothing */
  uint64_t kept_bytes_max;
  size_t set_count;
  uint64_t bytes_read;
  size_t longest_read;
};

static int
read_file (void *opaque, uint64_t offset, void *buffer, size_t length,
           struct error *err)
{
  struct file *file = opaque;
  size_t i;

  (void) err;
  memset (buffer, 0, length);
  for (i = 0; i < file->set_count; i++) {
    uint64_t at = file->bitmap_offset + file->set_bytes[i];

    if (at >= offset && at - offset < length)
      ((uint8_t *) buffer)[at - offset] = 0xff;
  }
  file->bytes_read += length;
  file->longest_read = maximum_u64 (file->longest_read, length);
  return 0;
}

static uint64_t
next_data (void *opaque, uint64_t offset)
{
  struct file *file = opaque;
  size_t i;

  for (i = 0; i < file->set_count && !file->liar; i++) {
    uint64_t at = file->bitmap_offset + file->set_bytes[i];

    if (offset <= at)
      return maximum_u64 (offset, align_down (at, PAGE_BYTES));
  }
  return UINT64_MAX;
}

static int
read_bitmap (struct file *file, bool holes, struct ram_block *block,
             struct error *err)
{
  struct read_at reader = {
    .read = read_file, .next_data = holes ? next_data : NULL,
    .opaque = file, .size = UINT64_C (1) << 50,
    .kept_bytes_max = file->kept_bytes_max,
  };
  struct stream stream = { .file = &reader, .err = err };

  block->bitmap_offset = file->bitmap_offset;
  return ram_bitmap_read (&stream, block);
}

static void
test_sizes (void **state)
{
  (void) state;
  assert_int_equal (ram_bitmap_bytes (0), 0);
  assert_int_equal (ram_bitmap_bytes (1), 8);
  assert_int_equal (ram_bitmap_bytes (64), 8);
  assert_int_equal (ram_bitmap_bytes (65), 16);
  assert_true (ram_bitmap_bytes (UINT64_MAX >> 12) == UINT64_C (1) << 49);
}

static void
test_whole (void **state)
{
  struct file file = {
    .bitmap_offset = 12345, .set_count = 2, .set_bytes = { 0, 1000000 },
  };
  struct ram_block block = { .page_count = 8 * 1000001 };
  struct error err = { 0 };

  (void) state;
  assert_int_equal (read_bitmap (&file, false, &block, &err), 0);
  assert_int_equal (block.present_count, 16);
  assert_int_equal (bitmap_next_set (block.bitmap, 8, block.page_count),
                    8000000);
  assert_int_equal (file.bytes_read, ram_bitmap_bytes (block.page_count));
  assert_true (file.longest_read <= 1 << 20);
  ram_block_free (&block);
}

/* Data that is called a hole is found, in the bitmap of 1 TiB. */
static void
test_false_holes (void **state)
{
  struct file file = {
    .bitmap_offset = 12345, .set_count = 2, .set_bytes = { 0, 33554431 },
    .liar = true,
  };
  struct ram_block block = { .page_count = UINT64_C (1) << 28 };
  struct error err = { 0 };

  (void) state;
  assert_int_equal (read_bitmap (&file, true, &block, &err), 0);
  assert_int_equal (block.present_count, 16);
  assert_true (bitmap_test (block.bitmap, block.page_count - 1));
  ram_block_free (&block);
}

/* A bitmap of any size costs what its data costs, and no more than so much. */
static void
test_holes (void **state)
{
  struct file file = {
    .bitmap_offset = 12345, .set_count = 3,
    .set_bytes = { 70000, 420000000, 536870911 },
  };
  struct ram_block block = { .page_count = UINT64_C (1) << 32 };
  struct error err = { 0 };
  size_t i;

  (void) state;
  assert_int_equal (read_bitmap (&file, true, &block, &err), 0);
  assert_int_equal (block.present_count, 24);
  assert_true (bitmap_test (block.bitmap, 560000));
  assert_true (bitmap_test (block.bitmap, UINT64_C (3360000000)));
  assert_true (bitmap_test (block.bitmap, block.page_count - 1));
  assert_true (file.bytes_read <= HOLE_BYTES_DOUBTED + (3 << 20));
  /* Before the first set bit, between them, and no hole after the last. */
  assert_int_equal (block.hole_count, 2);
  for (i = 0; i < block.hole_count; i++)
    assert_true (block.holes[i].first < block.holes[i].end);
  assert_true (block.holes[0].end <= UINT64_C (3360000000));
  assert_true (block.holes[1].end <= block.page_count);
  ram_block_free (&block);
}

static void
test_empty (void **state)
{
  struct file file = { .bitmap_offset = 1 };
  struct ram_block block = { .page_count = 0 };
  struct error err = { 0 };

  (void) state;
  assert_int_equal (read_bitmap (&file, false, &block, &err), 0);
  assert_non_null (block.bitmap);
  assert_int_equal (file.bytes_read, 0);
  ram_block_free (&block);
}

/* Only what is set takes memory, and no more than so much. */
static void
test_kept (void **state)
{
  struct file file = {
    .set_count = 2, .set_bytes = { 70000, 420000000 },
    .kept_bytes_max = 1 << 20,
  };
  struct ram_block block = {
    .name = "pc.ram", .page_count = UINT64_C (1) << 32,
  };
  struct error err = { 0 };

  (void) state;
  assert_int_equal (read_bitmap (&file, true, &block, &err), 0);
  ram_block_free (&block);

  block = (struct ram_block) { .name = "pc.ram",
                               .page_count = UINT64_C (1) << 32 };
  file.set_count = 3;
  file.set_bytes[2] = 430000000;
  file.kept_bytes_max = 2 * (256 << 10);
  assert_int_equal (read_bitmap (&file, true, &block, &err), -1);
  assert_error (&err, ERROR_FAILED, "RAM block 'pc.ram': the page bitmaps up "
                "to its own take more than 0 MiB");
  ram_block_free (&block);
}

static void
test_refused_past_last_page (void **state)
{
  struct file file = { .set_count = 1, .set_bytes = { 3 } };
  struct ram_block block = { .name = "pc.ram", .page_count = 31 };
  struct error err = { 0 };

  (void) state;
  assert_int_equal (read_bitmap (&file, false, &block, &err), -1);
  assert_error (&err, ERROR_BAD_INPUT, "RAM block 'pc.ram': its bitmap has "
                "bits set past its last page");
  ram_block_free (&block);

  block = (struct ram_block) { .name = "pc.ram", .page_count = 32 };
  err = (struct error) { 0 };
  assert_int_equal (read_bitmap (&file, false, &block, &err), 0);
  ram_block_free (&block);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_sizes),
    cmocka_unit_test (test_whole),
    cmocka_unit_test (test_false_holes),
    cmocka_unit_test (test_holes),
    cmocka_unit_test (test_empty),
    cmocka_unit_test (test_kept),
    cmocka_unit_test (test_refused_past_last_page),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
