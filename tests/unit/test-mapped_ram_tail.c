/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit tests of src/guest/mapped_ram_tail.c: complete, unfinished, cut. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/assert_error.h"
#include "lib/mapped_ram_image.h"
#include "util/bytes.h"

#define NOT_FINISHED \
  "QEMU has not finished writing this file: the save is still running, or " \
  "was cancelled or killed"
#define BACKGROUND \
  "background snapshot: its page bitmaps are empty, QEMU cannot load it"
#define CUT "cut off: the end of QEMU's stream is missing"

static const struct image_shape plainest = {
  .section_id = 3, .block_count = 2,
  .blocks = {
    { .name = "pc.ram", .pages = "1010s" }, { .name = "vga", .pages = "01" },
  },
};

static int
check (struct image *image, bool holes, struct error *err)
{
  struct read_at file = image_reader (image, holes);
  struct mapped_ram *ram;
  int result;

  if (mapped_ram_parse (&file, 0, &ram, err) == -1)
    fail_msg ("refused: %s", err->what);
  result = mapped_ram_check_complete (&file, ram, err);
  mapped_ram_free (ram);
  return result;
}

static void
assert_complete (struct image *image)
{
  struct error err = { 0 };

  if (check (image, false, &err) == -1 || check (image, true, &err) == -1)
    fail_msg ("refused: %s", err.what);
}

static void
assert_incomplete (struct image *image, const char *text)
{
  struct error err = { 0 };

  assert_int_equal (check (image, false, &err), -1);
  assert_error (&err, ERROR_BAD_INPUT, text);
  err = (struct error) { 0 };
  assert_int_equal (check (image, true, &err), -1);
  assert_error (&err, ERROR_BAD_INPUT, text);
}

static void
test_complete (void **state)
{
  struct image_shape shape = plainest;
  struct image image;
  int i;

  (void) state;
  for (i = 0; i < 4; i++) {
    shape.no_footers = (i & 1) != 0;
    shape.no_json = (i & 2) != 0;
    image_build (&shape, &image);
    assert_complete (&image);
    image_free (&image);
  }
}

/* No guest memory at all is a strange guest, but nothing is lost. */
static void
test_nothing_present (void **state)
{
  struct image_shape shape = plainest;
  struct image image;

  (void) state;
  shape.blocks[0].pages = "00";
  shape.blocks[1].pages = "0";
  image_build (&shape, &image);
  assert_complete (&image);
  image_free (&image);

  shape.block_count = 1;
  shape.ignore_shared = shape.blocks[0].ignored = true;
  image_build (&shape, &image);
  assert_complete (&image);
  image_free (&image);
}

static void
test_unfinished (void **state)
{
  struct image_shape shape = plainest;
  struct image image;

  (void) state;
  shape.unfinished = true;
  image_build (&shape, &image);
  assert_incomplete (&image, NOT_FINISHED);
  image_free (&image);
  shape.no_footers = true;
  image_build (&shape, &image);
  assert_incomplete (&image, NOT_FINISHED);
  image_free (&image);
}

static void
test_background_snapshot (void **state)
{
  struct image_shape shape = plainest;
  struct image image;

  (void) state;
  shape.background = true;
  image_build (&shape, &image);
  assert_incomplete (&image, BACKGROUND);
  image_free (&image);
}

/* Every file that ends early is told from a whole one, except at a zero byte
 * when there are neither footers nor a description.
 */
static void
test_every_cut (void **state)
{
  struct image_shape shape = plainest;
  struct image image;
  size_t whole;

  (void) state;
  image_build (&shape, &image);
  whole = image.size;
  for (image.size = image.ram_end; image.size < whole; image.size++)
    if (image.size != image.tail_at + 1)
      assert_incomplete (&image, CUT);
  image_free (&image);

  shape.no_json = true;
  image_build (&shape, &image);
  for (image.size = image.ram_end; image.size <= image.tail_at; image.size++)
    assert_incomplete (&image, CUT);
  image_free (&image);
}

/* Before the RAM section's END a zero byte proves nothing. */
static void
test_zero_byte_is_no_end (void **state)
{
  struct image_shape shape = plainest;
  struct image image;

  (void) state;
  shape.no_footers = shape.no_json = true;
  image_build (&shape, &image);
  for (image.size = image.ram_end; image.size < image.ram_end + 13;
       image.size++)
    assert_incomplete (&image, CUT);
  image_free (&image);
}

/* LENGTH bytes of sections between the RAM section and its END. */
static void
put_sections_before_end (struct image *image, size_t length)
{
  size_t tail = image->size - image->ram_end;
  uint8_t *end;

  image->size += length;
  image->room = image->size;
  image->bytes = realloc (image->bytes, image->room);
  assert_non_null (image->bytes);
  end = image->bytes + image->ram_end;
  memmove (end + length, end, tail);
  memset (end, 0x55, length);
}

/* Around the borders of the pieces that the search for END reads. */
static void
test_end_far_away (void **state)
{
  struct image_shape shape = plainest;
  struct image image;
  size_t length;

  (void) state;
  shape.no_json = true;
  for (length = (256 << 10) - 14; length < (256 << 10) + 2; length++) {
    image_build (&shape, &image);
    put_sections_before_end (&image, length);
    assert_complete (&image);
    image_free (&image);
  }
}

static void
test_appended (void **state)
{
  struct image image;

  (void) state;
  image_build (&plainest, &image);
  image.size++;
  assert_incomplete (&image, CUT);
  image.bytes[image.size - 1] = '}';
  assert_incomplete (&image, CUT);
  image_free (&image);
}

static void
test_faulty_description (void **state)
{
  struct image image;

  (void) state;
  image_build (&plainest, &image);
  image.bytes[image.tail_at + 6] = '[';
  assert_incomplete (&image, CUT);
  image.bytes[image.tail_at + 6] = '{';
  image.bytes[image.tail_at + 5]++;
  assert_incomplete (&image, CUT);
  image.bytes[image.tail_at + 5]--;
  assert_complete (&image);
  image_free (&image);
}

/* A description of LENGTH bytes instead of the short one. */
static void
put_long_description (struct image *image, size_t length)
{
  uint8_t *json;

  image->size = image->tail_at + 6 + length;
  image->room = image->size;
  image->bytes = realloc (image->bytes, image->room);
  assert_non_null (image->bytes);
  put_be32 (image->bytes + image->tail_at + 2, (uint32_t) length);
  json = image->bytes + image->tail_at + 6;
  memset (json, ' ', length);
  json[0] = '{';
  json[length - 1] = '}';
}

/* Around the borders of the pieces that the search reads. */
static void
test_long_descriptions (void **state)
{
  struct image image;
  size_t length;

  (void) state;
  image_build (&plainest, &image);
  put_long_description (&image, 2);
  assert_complete (&image);
  for (length = (256 << 10) - 12; length < (256 << 10) + 4; length++) {
    put_long_description (&image, length);
    assert_complete (&image);
  }
  put_long_description (&image, 5000000);
  assert_complete (&image);
  image_free (&image);
}

/* The search for the tail gives up 64 MiB before the end. */
static void
test_endless_description (void **state)
{
  struct image image;

  (void) state;
  image_build (&plainest, &image);
  put_long_description (&image, 65u << 20);
  assert_incomplete (&image, CUT);
  image_free (&image);
}

static int
failing_read (void *opaque, uint64_t offset, void *buffer, size_t length,
              struct error *err)
{
  (void) opaque;
  (void) offset;
  (void) buffer;
  (void) length;
  return error_set (err, ERROR_FAILED, 5, "cannot read");
}

static void
test_read_error (void **state)
{
  struct image image;
  struct read_at file;
  struct mapped_ram *ram;
  struct error err = { 0 };

  (void) state;
  image_build (&plainest, &image);
  file = image_reader (&image, false);
  assert_int_equal (mapped_ram_parse (&file, 0, &ram, &err), 0);
  file.read = failing_read;
  assert_int_equal (mapped_ram_check_complete (&file, ram, &err), -1);
  assert_error (&err, ERROR_FAILED, "cannot read");
  mapped_ram_free (ram);
  image_free (&image);
}

static void
assert_end (const char *text, size_t length, bool whole)
{
  struct image image = { .bytes = (uint8_t *) text, .size = length };
  struct read_at file = image_reader (&image, false);
  struct error err = { 0 };

  assert_int_equal (plain_stream_check_end (&file, 3, &err), whole ? 0 : -1);
  if (!whole)
    assert_error (&err, ERROR_BAD_INPUT, "cut off: the end of QEMU's");
}

/* Of a stream without mapped-ram nothing but the end can be judged. */
static void
test_plain_end (void **state)
{
  static const char json[] = "xyzQEVM\0\6\0\0\0\2{}";

  (void) state;
  assert_end (json, sizeof json - 1, true);
  assert_end (json, sizeof json, true);
  assert_end (json, sizeof json - 2, false);
  assert_end (json, 7, false);
  assert_end (json, 8, true);
  assert_end (json, 3, false);
  assert_end (json, 0, false);
  assert_end ("xyzQEVM\0\6\0\0\0\1{}", 15, false);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_complete),
    cmocka_unit_test (test_nothing_present),
    cmocka_unit_test (test_unfinished),
    cmocka_unit_test (test_background_snapshot),
    cmocka_unit_test (test_every_cut),
    cmocka_unit_test (test_zero_byte_is_no_end),
    cmocka_unit_test (test_end_far_away),
    cmocka_unit_test (test_appended),
    cmocka_unit_test (test_faulty_description),
    cmocka_unit_test (test_long_descriptions),
    cmocka_unit_test (test_endless_description),
    cmocka_unit_test (test_read_error),
    cmocka_unit_test (test_plain_end),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
