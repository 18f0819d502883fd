/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit tests of src/guest/mapped_ram_stream.c: the bounds-checked cursor. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest/mapped_ram_stream.h"
#include "lib/assert_error.h"
#include "lib/mapped_ram_image.h"

static uint8_t bytes[] = {
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c,
  0x0d, 0x0e, 0x0f, 3, 'r', 'a', 'm', 2, 'x', 0x1b, 1, 0x80,
};
static struct image image = { .bytes = bytes, .size = sizeof bytes };

static void
test_integers (void **state)
{
  struct read_at file = image_reader (&image, false);
  struct error err = { 0 };
  struct stream stream = { .file = &file, .err = &err };
  uint8_t one, peeked;
  uint16_t two;
  uint32_t four;
  uint64_t eight;

  (void) state;
  assert_int_equal (stream_peek (&stream, &peeked, "it"), 0);
  assert_int_equal (stream_u8 (&stream, &one, "it"), 0);
  assert_int_equal (stream_be16 (&stream, &two, "it"), 0);
  assert_int_equal (stream_be32 (&stream, &four, "it"), 0);
  assert_int_equal (stream_be64 (&stream, &eight, "it"), 0);
  assert_int_equal (peeked, 1);
  assert_int_equal (one, 1);
  assert_int_equal (two, 0x0203);
  assert_int_equal (four, 0x04050607);
  assert_true (eight == UINT64_C (0x08090a0b0c0d0e0f));
  assert_int_equal (stream.position, 15);
}

static void
test_names (void **state)
{
  struct read_at file = image_reader (&image, false);
  struct error err = { 0 };
  struct stream stream = { .file = &file, .position = 15, .err = &err };
  char name[256];

  (void) state;
  assert_int_equal (stream_name (&stream, name, "a name"), 0);
  assert_string_equal (name, "ram");
  assert_int_equal (stream_name (&stream, name, "a name"), -1);
  assert_error (&err, ERROR_BAD_INPUT, "a name at byte 20 is not printable");

  err = (struct error) { 0 };
  stream.position = 22;
  assert_int_equal (stream_name (&stream, name, "a name"), -1);
  assert_error (&err, ERROR_BAD_INPUT, "a name at byte 23 is not printable");

  err = (struct error) { 0 };
  assert_int_equal (stream_text (&stream, 256, name, "a name"), -1);
  assert_error (&err, ERROR_BAD_INPUT, "is 256 bytes long, at most 255");
}

static void
test_ends (void **state)
{
  struct read_at file = image_reader (&image, false);
  struct error err = { 0 };
  struct stream stream = { .file = &file, .err = &err };
  uint64_t eight;

  (void) state;
  stream.position = sizeof bytes - 7;
  assert_int_equal (stream_left (&stream), 7);
  assert_int_equal (stream_be64 (&stream, &eight, "the total"), -1);
  assert_error (&err, ERROR_BAD_INPUT,
                "cut off: the file ends at byte 24, inside the total");

  err = (struct error) { 0 };
  assert_int_equal (stream_skip (&stream, UINT64_MAX, "the data"), -1);
  assert_error (&err, ERROR_BAD_INPUT, "inside the data");
  assert_int_equal (stream_skip (&stream, 7, "the data"), 0);
  assert_int_equal (stream_left (&stream), 0);
  assert_int_equal (stream_bytes (&stream, &eight, 0, "nothing"), 0);

  stream.position = UINT64_MAX;
  assert_int_equal (stream_left (&stream), 0);
}

static uint64_t next;

static uint64_t
any_next_data (void *opaque, uint64_t offset)
{
  (void) opaque;
  (void) offset;
  return next;
}

/* Whatever the callback says, the answer lies in OFFSET .. LIMIT. */
static void
test_next_data (void **state)
{
  struct read_at file = image_reader (&image, false);
  uint64_t doubted = HOLE_BYTES_DOUBTED;

  (void) state;
  assert_int_equal (read_at_next_data (&file, 5, 10, 1, &doubted), 5);
  file.next_data = any_next_data;
  next = 7;
  assert_int_equal (read_at_next_data (&file, 5, 10, 1, &doubted), 7);
  next = 2;
  assert_int_equal (read_at_next_data (&file, 5, 10, 1, &doubted), 5);
  next = 1000;
  assert_int_equal (read_at_next_data (&file, 5, 10, 1, &doubted), 10);
  assert_int_equal (read_at_next_data (&file, 10, 10, 1, &doubted), 10);
}

/* Holes are believed only when so many bytes of them have been read. */
static void
test_doubted (void **state)
{
  struct read_at file = image_reader (&image, false);
  uint64_t doubted = HOLE_BYTES_DOUBTED - 5;

  (void) state;
  file.next_data = any_next_data;
  next = 7;
  assert_int_equal (read_at_next_data (&file, 7, 10, 4, &doubted), 7);
  assert_int_equal (read_at_next_data (&file, 5, 10, 4, &doubted), 5);
  assert_int_equal (read_at_next_data (&file, 5, 10, 4, &doubted), 5);
  assert_int_equal (read_at_next_data (&file, 5, 10, 4, &doubted), 7);
  assert_int_equal (read_at_next_data (&file, 10, 10, 4, &doubted), 10);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_integers),
    cmocka_unit_test (test_names),
    cmocka_unit_test (test_ends),
    cmocka_unit_test (test_next_data),
    cmocka_unit_test (test_doubted),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
