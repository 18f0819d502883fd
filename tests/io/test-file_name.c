/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/io/file_name.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/scratch.h"
#include "lib/assert_error.h"

static void
test_same (void **state)
{
  struct error err = { 0 };
  struct file one, other, again;

  (void) state;
  scratch_open (scratch_file ("one", 10), DIRECT_IO_OFF, &one);
  scratch_open (scratch_file ("other", 10), DIRECT_IO_OFF, &other);
  assert_int_equal (file_open (one.name, FILE_READ, DIRECT_IO_OFF, &again,
                               &err), 0);
  assert_true (file_same (&one, &again));
  assert_false (file_same (&one, &other));
  scratch_close (&one);
  scratch_close (&other);
  scratch_close (&again);
}

/* A name may be another link or a symbolic one; it is gone, or another file's. */
static void
test_has_name (void **state)
{
  char *name = strdup (scratch_file ("name", 10));
  char *second = strdup (scratch_path ("second"));
  struct error err = { 0 };
  struct file file;

  (void) state;
  scratch_open (name, DIRECT_IO_OFF, &file);
  assert_int_equal (file_check_name (&file, name, &err), 0);
  assert_int_equal (symlink (name, second), 0);
  assert_true (file_has_name (&file, second));
  assert_int_equal (unlink (second), 0);
  assert_int_equal (link (name, second), 0);
  assert_int_equal (unlink (name), 0);
  assert_true (file_has_name (&file, second));
  assert_false (file_has_name (&file, name));
  scratch_file ("name", 10);
  assert_int_equal (file_check_name (&file, name, &err), -1);
  assert_error (&err, ERROR_FAILED, "was removed or replaced");
  scratch_close (&file);
  free (name);
  free (second);
}

/* What has the name already stays. */
static void
test_name_new (void **state)
{
  char *from = strdup (scratch_file ("from", 10));
  char *path = strdup (scratch_file ("path", 20));
  struct error err = { 0 };

  (void) state;
  assert_int_equal (file_name_new (from, path, &err), -1);
  assert_int_equal (err.errnum, EEXIST);
  assert_string_equal (err.subject, path);
  check_pattern_file (path, 20);
  check_pattern_file (from, 10);

  /* Also a link that leads nowhere. */
  err = (struct error) { 0 };
  assert_int_equal (unlink (path), 0);
  assert_int_equal (symlink ("nowhere", path), 0);
  assert_int_equal (file_name_new (from, path, &err), -1);
  assert_int_equal (err.errnum, EEXIST);

  err = (struct error) { 0 };
  assert_int_equal (unlink (path), 0);
  assert_int_equal (file_name_new (from, path, &err), 0);
  check_pattern_file (path, 10);
  assert_int_equal (access (from, F_OK), -1);
  assert_int_equal (file_name_new (from, path, &err), -1);
  free (from);
  free (path);
}

/* A kill has left both names; other pairs are not that. */
static void
test_finish_naming (void **state)
{
  char *from = strdup (scratch_file ("from", 10));
  char *path = strdup (scratch_path ("path"));
  struct error err = { 0 };

  (void) state;
  assert_int_equal (file_finish_naming (from, path, &err), 0);
  assert_int_equal (symlink (from, path), 0);
  assert_int_equal (file_finish_naming (from, path, &err), 0);
  assert_int_equal (file_finish_naming (path, from, &err), 0);
  assert_int_equal (unlink (path), 0);
  assert_int_equal (link (from, path), 0);
  assert_int_equal (file_finish_naming (from, path, &err), 1);
  check_pattern_file (path, 10);
  assert_int_equal (access (from, F_OK), -1);
  scratch_file ("from", 10);
  assert_int_equal (file_finish_naming (from, path, &err), 0);
  check_pattern_file (path, 10);
  free (from);
  free (path);
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_same),
    cmocka_unit_test (test_has_name),
    cmocka_unit_test (test_name_new),
    cmocka_unit_test (test_finish_naming),
  };

  return cmocka_run_group_tests (tests, scratch_setup, scratch_teardown);
}
