/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of src/cmd/placeholders.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/placeholders.h"

static const struct placeholder placeholders[] = {
  { "{}", "/proc/{}/{fd}" },
  { "{fd}", "7" },
  { NULL, NULL },
};

/* Fill ARGUMENTS, which end with NULL like WANTED, and compare. */
static void
expect (const char *const *arguments, const char *const *wanted)
{
  struct error err = { 0 };
  char **filled = placeholders_fill (placeholders, (char *const *) arguments,
                                     &err);
  size_t i;

  assert_non_null (filled);
  for (i = 0; wanted[i] != NULL; i++) {
    assert_non_null (filled[i]);
    assert_string_equal (filled[i], wanted[i]);
  }
  assert_null (filled[i]);
  arguments_free (filled);
}

static void
test_placeholders_fill (void **state)
{
  static const char *const arguments[] = {
    "cp", "{}", "file:{}", "{fd},{}{}x", "fd={fd}", NULL
  };
  static const char *const wanted[] = {
    "cp", "/proc/{}/{fd}", "file:/proc/{}/{fd}",
    "7,/proc/{}/{fd}/proc/{}/{fd}x", "fd=7", NULL
  };

  (void) state;
  expect (arguments, wanted);
}

static void
test_placeholders_fill_nothing (void **state)
{
  static const char *const arguments[] = {
    "", "{", "}", "{ }", "{f}", "{fd", "${fdx}", "{{fd", "}{", NULL
  };

  (void) state;
  expect (arguments, arguments);
  expect (arguments + 9, arguments + 9);
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_placeholders_fill),
    cmocka_unit_test (test_placeholders_fill_nothing),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
