/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit test of src/util/size.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/size.h"

#define ARRAY_SIZE(array) (sizeof (array) / sizeof (array)[0])

static void
test_parse (void **state)
{
  static const struct {
    const char *text;
    uint64_t size;
  } cases[] = {
    { "0", 0 },
    { "1", 1 },
    { "007", 7 },
    { "4096", 4096 },
    { "1K", 1024 },
    { "1k", 1024 },
    { "64K", 65536 },
    { "64KB", 65536 },
    { "64KiB", 65536 },
    { "64kib", 65536 },
    { "3M", UINT64_C (3) << 20 },
    { "2g", UINT64_C (2) << 30 },
    { "5TiB", UINT64_C (5) << 40 },
    { "0T", 0 },
    { "9223372036854775807", INT64_MAX },
    { "9007199254740991K", UINT64_C (9007199254740991) << 10 },
    { "8388607T", UINT64_C (8388607) << 40 },
  };
  size_t i;

  (void) state;
  for (i = 0; i < ARRAY_SIZE (cases); i++) {
    uint64_t size = 99;

    if (!size_parse (cases[i].text, &size))
      fail_msg ("'%s' is refused", cases[i].text);
    assert_int_equal (size, cases[i].size);
  }
}

static void
test_refuse (void **state)
{
  static const char *const cases[] = {
    "", " ", "K", "x", "-1", "+1", " 1", "1 ", "1 K", "1.5", "0x10", "1P",
    "1KK", "1Ki", "1iB", "1B", "1KiBs", "1,000", "1@", "1+", "1-",
    "9223372036854775808", "18446744073709551615", "18446744073709551616",
    "99999999999999999999", "9007199254740992K", "8388608T",
  };
  size_t i;

  (void) state;
  for (i = 0; i < ARRAY_SIZE (cases); i++) {
    uint64_t size;

    if (size_parse (cases[i], &size))
      fail_msg ("'%s' is accepted", cases[i]);
  }
}

static void
test_format (void **state)
{
  static const struct {
    uint64_t size;
    const char *text;
  } cases[] = {
    { 0, "0 B" },
    { 1, "1 B" },
    { 1023, "1023 B" },
    { 1024, "1.0 KiB" },
    { 1536, "1.5 KiB" },
    { UINT64_C (1) << 20, "1.0 MiB" },
    { UINT64_C (5) << 29, "2.5 GiB" },
    { UINT64_C (1) << 40, "1.0 TiB" },
    { UINT64_MAX, "16777216.0 TiB" },
  };
  char text[SIZE_TEXT_BYTES];
  size_t i;

  (void) state;
  for (i = 0; i < ARRAY_SIZE (cases); i++) {
    assert_ptr_equal (size_format (cases[i].size, text), text);
    assert_string_equal (text, cases[i].text);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_parse),
    cmocka_unit_test (test_refuse),
    cmocka_unit_test (test_format),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
