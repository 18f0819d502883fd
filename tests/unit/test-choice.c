/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parsing the argument of -c and checking it against a codec. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plugin/loader.h"

static void
assert_parses (const char *text, const char *name, bool has_level, int level,
               const char *parameters)
{
  struct error err = { 0 };
  struct codec_choice choice;

  if (codec_choice_parse (text, &choice, &err) == -1)
    fail_msg ("%s: %s", text, err.what);
  assert_string_equal (choice.name, name);
  assert_int_equal (choice.has_level, has_level);
  assert_int_equal (choice.level, level);
  assert_string_equal (choice.parameters, parameters);
}

static void
assert_refused (const char *text, const char *message)
{
  struct error err = { 0 };
  struct codec_choice choice;

  if (codec_choice_parse (text, &choice, &err) == 0)
    fail_msg ("\"%s\" was accepted", text);
  assert_int_equal (err.kind, ERROR_USAGE);
  if (strstr (err.what, message) == NULL)
    fail_msg ("%s: \"%s\" instead of \"%s\"", text, err.what, message);
  assert_non_null (strstr (err.hint, "NAME[:LEVEL]"));
}

static void
test_parse (void **state)
{
  (void) state;
  assert_parses ("zstd", "zstd", false, 0, "");
  assert_parses ("stored", "stored", false, 0, "");
  assert_parses ("lz4:9", "lz4", true, 9, "");
  assert_parses ("zstd:-7", "zstd", true, -7, "");
  assert_parses ("zstd:0", "zstd", true, 0, "");
  assert_parses ("zstd:3,long=27", "zstd", true, 3, "long=27");
  assert_parses ("xz,extreme", "xz", false, 0, "extreme");
  assert_parses ("a,b,c:d", "a", false, 0, "b,c:d");
  assert_parses ("x:2147483647", "x", true, 2147483647, "");
  assert_parses ("x:-2147483648", "x", true, -2147483647 - 1, "");
}

static void
test_parse_names (void **state)
{
  (void) state;
  assert_parses ("abcdefghijklmno", "abcdefghijklmno", false, 0, "");
  assert_refused ("", "a codec name is");
  assert_refused (":1", "a codec name is");
  assert_refused (",x", "a codec name is");
  assert_refused ("abcdefghijklmnop", "a codec name is");
  assert_refused ("ZSTD", "a codec name is");
  assert_refused ("../zstd", "a codec name is");
  assert_refused (" zstd", "a codec name is");
}

static void
test_parse_levels (void **state)
{
  (void) state;
  assert_refused ("zstd:", "not a number");
  assert_refused ("zstd:,long=27", "not a number");
  assert_refused ("zstd: 1", "not a number");
  assert_refused ("zstd:+1", "not a number");
  assert_refused ("zstd:-", "not a number");
  assert_refused ("zstd:--1", "not a number");
  assert_refused ("zstd:1x", "not a number");
  assert_refused ("zstd:1:2", "not a number");
  assert_refused ("zstd:2147483648", "too large");
  assert_refused ("zstd:-2147483649", "too large");
  assert_refused ("zstd:99999999999999999999", "too large");
}

static void
assert_automatic (const char *text, const char *name, const char *parameters)
{
  struct error err = { 0 };
  struct codec_choice choice;

  assert_int_equal (codec_choice_parse (text, &choice, &err), 0);
  assert_true (choice.automatic);
  assert_false (choice.has_level);
  assert_string_equal (choice.name, name);
  assert_string_equal (choice.parameters, parameters);
}

static void
test_parse_auto (void **state)
{
  struct error err = { 0 };
  struct codec_choice choice;

  (void) state;
  assert_automatic ("auto", CODEC_DEFAULT, "");
  assert_automatic ("lz4:auto", "lz4", "");
  assert_automatic ("zstd:auto,long=27", "zstd", "long=27");
  assert_int_equal (codec_choice_parse ("lz4:9", &choice, &err), 0);
  assert_false (choice.automatic);
  assert_refused ("auto:3", "neither level nor parameters");
  assert_refused ("auto:auto", "neither level nor parameters");
  assert_refused ("auto,x", "neither level nor parameters");
  assert_refused ("lz4:automatic", "not a number");
  assert_refused ("lz4:aut", "not a number");
}

static void
test_parse_parameters (void **state)
{
  char text[80] = "x,";
  struct error err = { 0 };
  struct codec_choice choice;

  (void) state;
  assert_refused ("zstd,", "no codec parameters");
  assert_refused ("zstd:1,", "no codec parameters");
  assert_refused ("zstd,a b", "printable");
  assert_refused ("zstd,a\n", "printable");
  assert_refused ("zstd,\x1b[2J", "printable");
  assert_refused ("zstd,\xff", "printable");
  memset (text + 2, 'p', IOPRESS_CODEC_PARAMETERS_MAX);
  assert_int_equal (codec_choice_parse (text, &choice, &err), 0);
  assert_string_equal (choice.parameters, text + 2);
  text[2 + IOPRESS_CODEC_PARAMETERS_MAX] = 'p';
  assert_refused (text, "longer than 63");
}

/* A codec that accepts "even" for even levels. */
static int
check_even (int level, const char *parameters, char *message,
            size_t message_size)
{
  if (strcmp (parameters, "even") == 0 && level % 2 == 0)
    return 0;
  snprintf (message, message_size, "no %s at level %d", parameters, level);
  return -1;
}

static struct codec codec = {
  .ops = {
    .name = "test",
    .level_min = -3,
    .level_max = 8,
    .level_default = 2,
    .check_parameters = check_even,
  },
};

static int
check (const char *text, struct codec_choice *choice, struct error *err)
{
  memset (err, 0, sizeof *err);
  assert_int_equal (codec_choice_parse (text, choice, err), 0);
  return codec_choice_check (&codec, choice, err);
}

static void
test_check_level (void **state)
{
  struct codec_choice choice;
  struct error err;

  (void) state;
  assert_int_equal (check ("test", &choice, &err), 0);
  assert_true (choice.has_level);
  assert_int_equal (choice.level, 2);
  assert_int_equal (check ("test:-3", &choice, &err), 0);
  assert_int_equal (choice.level, -3);
  assert_int_equal (check ("test:8", &choice, &err), 0);
  assert_int_equal (check ("test:-4", &choice, &err), -1);
  assert_int_equal (err.kind, ERROR_USAGE);
  assert_int_equal (check ("test:9", &choice, &err), -1);
  assert_string_equal (err.what, "codec test has levels -3 to 8, not 9");
}

static int
set_level (struct iopress_codec_context *context, int level)
{
  (void) context;
  (void) level;
  return 0;
}

static void
test_check_auto (void **state)
{
  struct codec_choice choice;
  struct error err;

  (void) state;
  assert_int_equal (check ("test:auto", &choice, &err), -1);
  assert_int_equal (err.kind, ERROR_USAGE);
  assert_string_equal (err.what, "codec test cannot change its level during "
                       "a run: name one of -3 to 8");
  codec.ops.set_level = set_level;
  assert_int_equal (check ("test:auto", &choice, &err), 0);
  assert_int_equal (choice.level, 2);
  codec.ops.set_level = NULL;
}

static void
test_check_parameters (void **state)
{
  struct codec_choice choice;
  struct error err;

  (void) state;
  assert_int_equal (check ("test,even", &choice, &err), 0);
  assert_int_equal (check ("test:3,even", &choice, &err), -1);
  assert_int_equal (err.kind, ERROR_USAGE);
  assert_string_equal (err.what, "codec test: no even at level 3");
  /* As it may come from a file, not from the parser. */
  strcpy (choice.parameters, "\x1b");
  memset (&err, 0, sizeof err);
  assert_int_equal (codec_choice_check (&codec, &choice, &err), -1);
  assert_non_null (strstr (err.what, "printable"));
}

static void
test_no_parameters (void **state)
{
  struct codec_choice choice;
  struct error err;

  (void) state;
  codec.ops.check_parameters = NULL;
  assert_int_equal (check ("test", &choice, &err), 0);
  assert_int_equal (check ("test,even", &choice, &err), -1);
  assert_string_equal (err.what, "codec test takes no parameters");
  codec.ops.check_parameters = check_even;
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_parse),
    cmocka_unit_test (test_parse_names),
    cmocka_unit_test (test_parse_levels),
    cmocka_unit_test (test_parse_auto),
    cmocka_unit_test (test_parse_parameters),
    cmocka_unit_test (test_check_level),
    cmocka_unit_test (test_check_auto),
    cmocka_unit_test (test_check_parameters),
    cmocka_unit_test (test_no_parameters),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
