/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of src/cmd/visible.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/visible.h"

struct sample {
  const char *text, *shown, *json;
};

static const struct sample samples[] = {
  { "", "", "" },
  { "pc.ram <1> & \\co", "pc.ram <1> & \\co", "pc.ram <1> & \\co" },
  { "gr\xc3\xbc\xc3\x9f""e \xe2\x82\xac \xf0\x9f\x90\xa7",
    "gr\xc3\xbc\xc3\x9f""e \xe2\x82\xac \xf0\x9f\x90\xa7",
    "gr\xc3\xbc\xc3\x9f""e \xe2\x82\xac \xf0\x9f\x90\xa7" },
  /* The ends of what is valid. */
  { "\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
    "\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
    "\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf" },
  { "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
    "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
  /* Controls: C0, DEL, C1. */
  { "a\033[2J", "a\\x1b[2J", "a\033[2J" },
  { "\x7f", "\\x7f", "\\u007f" },
  { "\xc2\x80\xc2\x9b""31m\xc2\x9f", "\\xc2\\x80\\xc2\\x9b""31m\\xc2\\x9f",
    "\\u0080\\u009b31m\\u009f" },
  /* Direction. */
  { "\xe2\x80\xae""gpj.\xe2\x81\xa6\xd8\x9c",
    "\\xe2\\x80\\xae""gpj.\\xe2\\x81\\xa6\\xd8\\x9c",
    "\\u202egpj.\\u2066\\u061c" },
  { "\xe2\x80\xa8", "\\xe2\\x80\\xa8", "\\u2028" },
  /* Not UTF-8: alone, cut off, too long, surrogates, beyond the last. */
  { "\x9b""1m", "\\x9b""1m", "\\ufffd1m" },
  { "\xff\xfe", "\\xff\\xfe", "\\ufffd\\ufffd" },
  { "\xc3", "\\xc3", "\\ufffd" },
  { "\xe2\x82", "\\xe2\\x82", "\\ufffd\\ufffd" },
  { "\xf0\x9f\x90z", "\\xf0\\x9f\\x90z", "\\ufffd\\ufffd\\ufffdz" },
  { "\xc1\xbf", "\\xc1\\xbf", "\\ufffd\\ufffd" },
  { "\xe0\x9f\xbf", "\\xe0\\x9f\\xbf", "\\ufffd\\ufffd\\ufffd" },
  { "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\ufffd\\ufffd\\ufffd" },
  { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80",
    "\\ufffd\\ufffd\\ufffd\\ufffd" },
  { "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80",
    "\\ufffd\\ufffd\\ufffd\\ufffd" },
};

static void
expect (void (*print) (FILE *, const char *), const char *text,
        const char *wanted)
{
  char *printed = NULL;
  size_t size;
  FILE *stream = open_memstream (&printed, &size);

  assert_non_null (stream);
  print (stream, text);
  assert_int_equal (fclose (stream), 0);
  assert_string_equal (printed, wanted);
  free (printed);
}

static void
test_samples (void **state)
{
  size_t i;

  (void) state;
  for (i = 0; i < sizeof samples / sizeof samples[0]; i++) {
    expect (visible_print, samples[i].text, samples[i].shown);
    expect (visible_print_json, samples[i].text, samples[i].json);
  }
}

static void
test_json_layout (void **state)
{
  (void) state;
  expect (visible_print_json, "{\n\t\"a\": 1\n}", "{\n\t\"a\": 1\n}");
}

static void
test_json_string (void **state)
{
  (void) state;
  expect (visible_print_json_string, "", "\"\"");
  expect (visible_print_json_string, "a\"b\\c'\n\x1b\xff",
          "\"a\\\"b\\\\c'\\u000a\\u001b\\ufffd\"");
}

static void
test_quoted (void **state)
{
  (void) state;
  expect (visible_print_quoted, "", "''");
  expect (visible_print_quoted, "it's $x\n", "'it'\\''s $x\\x0a'");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_samples),
    cmocka_unit_test (test_json_layout),
    cmocka_unit_test (test_json_string),
    cmocka_unit_test (test_quoted),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
