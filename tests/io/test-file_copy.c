/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/io/file_copy.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/file_copy.h"
#include "io/scratch.h"

static void
copy_all (size_t length, uint64_t offset, enum direct_io direct)
{
  static char copy[4096];
  struct error err = { 0 };
  struct file from, to;

  scratch_open (scratch_file ("from", length), direct, &from);
  /* What stands before OFFSET stays, what is behind the end goes. */
  strcpy (copy, scratch_file ("to", (size_t) offset + 5000));
  scratch_open (copy, direct, &to);
  assert_int_equal (file_copy (&from, &to, offset, length, &err), 0);
  scratch_close (&from);
  scratch_close (&to);
  check_pattern_file (copy, length);
}

static void
test_lengths (void **state)
{
  static const size_t lengths[] = {
    0, 1, 4095, 4096, 4097, 1u << 20, (1u << 20) + 1, (9u << 20) - 1,
    20u << 20, (20u << 20) + 12345,
  };
  size_t i;

  (void) state;
  for (i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    copy_all (lengths[i], 0, DIRECT_IO_OFF);
    copy_all (lengths[i], 0, DIRECT_IO_AUTO);
    if (lengths[i] > 8192)
      copy_all (lengths[i], 8192, DIRECT_IO_AUTO);
  }
}

static void
test_cancelled (void **state)
{
  volatile sig_atomic_t received = 0;
  struct error err = { 0 };
  struct file from, to;

  (void) state;
  scratch_open (scratch_file ("from", 3u << 20), DIRECT_IO_OFF, &from);
  scratch_open (scratch_file ("to", 0), DIRECT_IO_OFF, &to);
  from.how.cancelled = &received;
  received = 15;
  if (file_copy (&from, &to, 0, 3u << 20, &err) < 0)
    assert_int_equal (err.kind, ERROR_CANCELLED);
  scratch_close (&from);
  scratch_close (&to);
}

/* The file is shorter than was said. */
static void
test_ends_early (void **state)
{
  struct error err = { 0 };
  struct file from, to;

  (void) state;
  scratch_open (scratch_file ("from", 5000), DIRECT_IO_OFF, &from);
  scratch_open (scratch_file ("to", 0), DIRECT_IO_OFF, &to);
  from.how.cancelled = NULL;
  if (file_copy (&from, &to, 0, 9000, &err) < 0)
    assert_int_equal (err.kind, ERROR_FAILED);
  scratch_close (&from);
  scratch_close (&to);
}

/* Equal, and different in one byte at either end or in another block. */
static void
test_same_bytes (void **state)
{
  static const size_t places[] = { 0, 1u << 20, (3u << 20) + 76 };
  const size_t length = (3u << 20) + 77;
  struct error err = { 0 };
  struct file one, other;
  size_t i;

  (void) state;
  scratch_open (scratch_file ("one", length), DIRECT_IO_AUTO, &one);
  scratch_open (scratch_file ("other", length + 5), DIRECT_IO_OFF, &other);
  assert_int_equal (file_same_bytes (&one, &other, 0, &err), 1);
  assert_int_equal (file_same_bytes (&one, &other, length, &err), 1);
  assert_int_equal (file_same_bytes (&one, &other, length + 1, &err), -1);
  for (i = 0; i < sizeof places / sizeof places[0]; i++) {
    uint8_t right = pattern_byte (places[i]), wrong = (uint8_t) (right ^ 1);

    err = (struct error) { 0 };
    assert_int_equal (file_write_at (&other, places[i], &wrong, 1, &err), 0);
    assert_int_equal (file_same_bytes (&one, &other, length, &err), 0);
    assert_int_equal (file_same_bytes (&one, &other, places[i], &err), 1);
    assert_int_equal (file_write_at (&other, places[i], &right, 1, &err), 0);
  }
  scratch_close (&one);
  scratch_close (&other);
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_lengths),
    cmocka_unit_test (test_cancelled),
    cmocka_unit_test (test_ends_early),
    cmocka_unit_test (test_same_bytes),
  };

  return cmocka_run_group_tests (tests, scratch_setup, scratch_teardown);
}
