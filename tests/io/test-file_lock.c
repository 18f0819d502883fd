/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/io/file_lock.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/scratch.h"
#include "lib/assert_error.h"

static void
test_lock (void **state)
{
  struct error err = { 0 };
  struct file one, other;

  (void) state;
  scratch_open (scratch_file ("file", 10), DIRECT_IO_OFF, &one);
  assert_int_equal (file_open (one.name, FILE_UPDATE, FILE_HOW (DIRECT_IO_OFF),
                               &other, &err), 0);
  assert_int_equal (file_lock (&one, false, &err), 0);
  assert_int_equal (file_lock (&other, false, &err), 0);
  assert_int_equal (file_lock (&one, true, &err), -1);
  assert_error (&err, ERROR_FAILED, "another iopress is using it");
  err = (struct error) { 0 };
  scratch_close (&other);
  assert_int_equal (file_lock (&one, true, &err), 0);
  scratch_close (&one);
}

/* A source that somebody has written to, made longer or cut, but not one that
 * was read or got another mode.
 */
static void
test_state (void **state)
{
  static const struct timespec before[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
  struct file_state noted;
  struct error err = { 0 };
  struct file file;
  uint8_t byte;

  (void) state;
  scratch_open (scratch_file ("file", 10), DIRECT_IO_OFF, &file);
  assert_int_equal (futimens (file.fd, before), 0);
  assert_int_equal (file_note_state (&file, &noted, &err), 0);
  assert_int_equal (file_read_at (&file, 0, &byte, 1, &err), 0);
  assert_int_equal (fchmod (file.fd, 0600), 0);
  assert_int_equal (file_check_state (&file, &noted, &err), 0);

  assert_int_equal (file_write_at (&file, 0, &byte, 1, &err), 0);
  assert_int_equal (file_check_state (&file, &noted, &err), -1);
  assert_error (&err, ERROR_FAILED, "was changed while it was packed");

  err = (struct error) { 0 };
  assert_int_equal (ftruncate (file.fd, 9), 0);
  assert_int_equal (futimens (file.fd, before), 0);
  assert_int_equal (file_check_state (&file, &noted, &err), -1);
  scratch_close (&file);
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_lock),
    cmocka_unit_test (test_state),
  };

  return cmocka_run_group_tests (tests, scratch_setup, scratch_teardown);
}
