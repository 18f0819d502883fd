/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit test of src/util/error.c. */

#include <config.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/error.h"

static void
assert_text (const struct error *err, const char *expected)
{
  char text[1200];

  error_format (err, text, sizeof text);
  assert_string_equal (text, expected);
}

static void
test_set (void **state)
{
  struct error err = { 0 };

  (void) state;
  assert_int_equal (error_set (&err, ERROR_BAD_INPUT, 0, "%d of %s", 3,
                               "four"), -1);
  assert_int_equal (err.kind, ERROR_BAD_INPUT);
  assert_int_equal (err.errnum, 0);
  assert_string_equal (err.what, "3 of four");
  assert_text (&err, "3 of four");
}

static void
test_about (void **state)
{
  struct error err = { 0 };

  (void) state;
  assert_int_equal (error_about (&err, ERROR_FAILED, ENOENT, "/a", "cannot %s",
                                 "open"), -1);
  assert_text (&err, "/a: cannot open: No such file or directory");
  assert_int_equal (error_about (&err, ERROR_USAGE, 0, "/b", "is a pipe"), -1);
  assert_int_equal (err.kind, ERROR_FAILED);
  assert_text (&err, "/a: cannot open: No such file or directory");
}

static void
test_first_stays (void **state)
{
  struct error err = { 0 };

  (void) state;
  error_set (&err, ERROR_CONSUMED, ENOSPC, "cannot write");
  assert_int_equal (error_set (&err, ERROR_FAILED, EIO, "cannot close"), -1);
  assert_int_equal (err.kind, ERROR_CONSUMED);
  assert_int_equal (err.errnum, ENOSPC);
  assert_string_equal (err.what, "cannot write");
}

static void
test_format (void **state)
{
  struct error err = { 0 };

  (void) state;
  error_set (&err, ERROR_FAILED, ENOENT, "cannot open");
  assert_text (&err, "cannot open: No such file or directory");
  assert_int_equal (error_subject (&err, "/a/b"), -1);
  assert_text (&err, "/a/b: cannot open: No such file or directory");
  assert_int_equal (error_hint (&err, "try %s", "/c"), -1);
  assert_text (&err,
               "/a/b: cannot open: No such file or directory; try /c");
  error_hint (&err, "give up");
  assert_text (&err,
               "/a/b: cannot open: No such file or directory; give up");
}

static void
test_context (void **state)
{
  struct error err = { 0 }, full = { 0 };
  char words[sizeof full.what];

  (void) state;
  error_set (&err, ERROR_FAILED, EIO, "cannot read");
  assert_int_equal (error_context (&err, "record %d", 7), -1);
  assert_text (&err, "record 7: cannot read: Input/output error");
  memset (words, 'w', sizeof words - 1);
  words[sizeof words - 1] = '\0';
  error_set (&full, ERROR_FAILED, 0, "%s", words);
  error_context (&full, "record");
  assert_int_equal (strlen (full.what), sizeof full.what - 1);
  assert_memory_equal (full.what, "record: www", 11);
}

static void
test_first_subject_stays (void **state)
{
  struct error err = { 0 };

  (void) state;
  error_set (&err, ERROR_FAILED, 0, "bad");
  error_subject (&err, "first");
  error_subject (&err, "second");
  assert_text (&err, "first: bad");
}

/* The end of a path says more than its beginning. */
static void
test_long_subject (void **state)
{
  struct error err = { 0 }, fits = { 0 };
  char path[400];

  (void) state;
  memset (path, 'a', sizeof path - 1);
  path[0] = '/';
  strcpy (path + sizeof path - 5, "tail");
  error_subject (&err, path);
  assert_int_equal (strlen (err.subject), sizeof err.subject - 1);
  assert_memory_equal (err.subject, "...a", 4);
  assert_string_equal (err.subject + sizeof err.subject - 5, "tail");
  path[sizeof fits.subject - 1] = '\0';
  error_subject (&fits, path);
  assert_string_equal (fits.subject, path);
}

static void
test_long_text_cut (void **state)
{
  struct error err = { 0 };
  char words[600], text[8];

  (void) state;
  memset (words, 'w', sizeof words - 1);
  words[sizeof words - 1] = '\0';
  error_set (&err, ERROR_FAILED, 0, "%s", words);
  error_hint (&err, "%s", words);
  assert_int_equal (strlen (err.what), sizeof err.what - 1);
  assert_int_equal (strlen (err.hint), sizeof err.hint - 1);
  error_format (&err, text, sizeof text);
  assert_string_equal (text, "wwwwwww");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_set),
    cmocka_unit_test (test_about),
    cmocka_unit_test (test_first_stays),
    cmocka_unit_test (test_format),
    cmocka_unit_test (test_context),
    cmocka_unit_test (test_first_subject_stays),
    cmocka_unit_test (test_long_subject),
    cmocka_unit_test (test_long_text_cut),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
