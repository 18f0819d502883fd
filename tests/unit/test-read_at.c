/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit test of src/util/read_at.c. */

#include <config.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/assert_error.h"
#include "util/read_at.h"

#define SIZE ((uint64_t) 5 << 20)
#define HOLE_START (1000u)
#define HOLE_END (3500000u)

/* Zeros but for some bytes; a hole where they are told to be one. */
struct bytes {
  uint64_t marks[2];           /* where a 1 stands */
  bool hole;                   /* from HOLE_START to HOLE_END */
  bool stale;                  /* it is taken to be empty */
  uint64_t fails;              /* reading this byte fails */
  uint64_t end;                /* of what was read */
  uint64_t read;               /* bytes */
};

static int
read_bytes (void *opaque, uint64_t offset, void *buffer, size_t length,
            struct error *err)
{
  struct bytes *bytes = opaque;
  size_t i;

  memset (buffer, 0, length);
  for (i = 0; i < 2; i++)
    if (bytes->marks[i] >= offset && bytes->marks[i] < offset + length)
      ((uint8_t *) buffer)[bytes->marks[i] - offset] = 1;
  bytes->read += length;
  assert_true (bytes->read <= 20 * SIZE);
  bytes->end = offset + length;
  if (bytes->fails >= offset && bytes->fails < offset + length)
    return error_set (err, ERROR_FAILED, EIO, "cannot be read");
  return 0;
}

static uint64_t
next_data (void *opaque, uint64_t offset)
{
  struct bytes *bytes = opaque;

  if (bytes->stale)
    return 0;
  return bytes->hole && offset >= HOLE_START && offset < HOLE_END
    ? HOLE_END : offset;
}

static struct read_at
face_of (struct bytes *bytes)
{
  return (struct read_at) {
    .read = read_bytes,
    .next_data = next_data,
    .opaque = bytes,
    .size = SIZE,
  };
}

static struct bytes
new_bytes (uint64_t mark)
{
  return (struct bytes) {
    .marks = { mark, UINT64_MAX },
    .fails = UINT64_MAX,
  };
}

static int
compare (struct bytes *a, struct bytes *b, uint64_t offset, uint64_t end,
         struct error *err)
{
  struct read_at first = face_of (a), second = face_of (b);

  *err = (struct error) { 0 };
  return read_at_same (&first, &second, offset, end, err);
}

static void
test_every_byte_counts (void **state)
{
  static const uint64_t places[] = {
    100, 4095, (1 << 20) - 1, 1 << 20, 3000000, SIZE - 1,
  };
  struct bytes same = new_bytes (77);
  struct error err;
  size_t i;

  (void) state;
  assert_int_equal (compare (&same, &same, 0, SIZE, &err), 1);
  assert_int_equal (same.end, SIZE);
  for (i = 0; i < sizeof places / sizeof places[0]; i++) {
    struct bytes other = new_bytes (77);
    uint64_t place = places[i];

    other.marks[1] = place;
    assert_int_equal (compare (&same, &other, 0, SIZE, &err), 0);
    assert_int_equal (compare (&other, &same, place, place + 1, &err), 0);
    assert_int_equal (compare (&same, &other, 0, place, &err), 1);
    assert_int_equal (other.end, place);
    assert_int_equal (compare (&same, &other, place + 1, SIZE, &err), 1);
  }
  assert_int_equal (compare (&same, &same, SIZE, SIZE, &err), 1);
}

/* What is a hole in one only is read. */
static void
test_holes (void **state)
{
  struct bytes a = new_bytes (2000000), b = a, hole = new_bytes (77);
  struct error err;

  (void) state;
  hole.marks[0] = UINT64_MAX;
  hole.hole = true;
  assert_int_equal (compare (&a, &hole, 0, SIZE, &err), 0);
  assert_int_equal (compare (&hole, &a, 0, SIZE, &err), 0);
  a.hole = b.hole = true;
  a.read = 0;
  assert_int_equal (compare (&a, &b, 2000, SIZE, &err), 1);
  assert_int_equal (a.read, SIZE - HOLE_END);
}

/* What is behind the size that a file had when it was opened counts, and is
 * compared once.
 */
static void
test_stale_size (void **state)
{
  struct bytes a = new_bytes (2000000), b = a, other = new_bytes (1);
  struct error err;

  (void) state;
  a.stale = b.stale = other.stale = true;
  assert_int_equal (compare (&a, &b, 0, SIZE, &err), 1);
  assert_int_equal (a.read, SIZE);
  assert_int_equal (compare (&a, &other, 0, SIZE, &err), 0);
}

static void
test_failure (void **state)
{
  struct bytes a = new_bytes (1), b = new_bytes (1);
  struct error err;

  (void) state;
  b.fails = 2500000;
  assert_int_equal (compare (&a, &b, 0, SIZE, &err), -1);
  assert_error (&err, ERROR_FAILED, "cannot be read");
  assert_int_equal (compare (&b, &a, 0, SIZE, &err), -1);
  assert_int_equal (compare (&b, &a, 0, 2500000, &err), 1);
}

/* Without next_data everything is read. */
static void
test_no_holes_known (void **state)
{
  struct bytes a = new_bytes (1), b = new_bytes (1);
  struct read_at first = face_of (&a), second = face_of (&b);
  struct error err = { 0 };

  (void) state;
  first.next_data = NULL;
  b.hole = true;
  assert_int_equal (read_at_same (&first, &second, 0, SIZE, &err), 1);
  assert_int_equal (b.read, SIZE);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_every_byte_counts),
    cmocka_unit_test (test_holes),
    cmocka_unit_test (test_stale_size),
    cmocka_unit_test (test_failure),
    cmocka_unit_test (test_no_holes_known),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
