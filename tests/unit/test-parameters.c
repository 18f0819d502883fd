/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of src/plugin/parameters.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plugin/parameters.h"

static const struct iopress_codec_parameter parameters[] = {
  { .key = "fast", .type = IOPRESS_CODEC_FLAG, .help = "be quick" },
  {
    .key = "level-2",
    .type = IOPRESS_CODEC_INTEGER,
    .minimum = -5,
    .maximum = INT64_MAX,
    .help = "second level",
  },
  {
    .key = "mode",
    .type = IOPRESS_CODEC_CHOICE,
    .choices = "text|tex|binary",
    .help = "what it is",
  },
  { .key = NULL },
};

static const struct iopress_codec ops = {
  .name = "test",
  .parameters = parameters,
  .parameter_size = sizeof parameters[0],
};

static void
test_described (void **state)
{
  char range[PARAMETER_RANGE_BYTES];
  struct iopress_codec none = { .name = "none" };
  struct error err = { 0 };

  (void) state;
  assert_int_equal (codec_parameters_check_described (&ops, &err), 0);
  assert_int_equal (codec_parameters_check_described (&none, &err), 0);
  assert_null (codec_parameter (&none, 0));
  assert_null (codec_parameter (&ops, 3));
  codec_parameter_range (codec_parameter (&ops, 0), range);
  assert_string_equal (range, "fast");
  codec_parameter_range (codec_parameter (&ops, 1), range);
  assert_string_equal (range, "level-2=-5..9223372036854775807");
  codec_parameter_range (codec_parameter (&ops, 2), range);
  assert_string_equal (range, "mode=text|tex|binary");
}

static void
test_one_key_twice (void **state)
{
  static struct iopress_codec_parameter twice[4];
  struct iopress_codec twins = ops;
  struct error err = { 0 };

  (void) state;
  memcpy (twice, parameters, 2 * sizeof twice[0]);
  twice[2] = parameters[0];
  twins.parameters = twice;
  assert_int_equal (codec_parameters_check_described (&twins, &err), -1);
  assert_non_null (strstr (err.what, "parameter 3 a .key of its own: "
                           "parameter 1 is \"fast\", too"));
}

static void
test_no_end (void **state)
{
  static struct iopress_codec_parameter many[40];
  static char keys[40][4];
  struct iopress_codec endless = ops;
  struct error err = { 0 };
  size_t i;

  (void) state;
  for (i = 0; i < 40; i++) {
    many[i] = parameters[0];
    many[i].key = keys[i];
    snprintf (keys[i], sizeof keys[i], "k%u", (unsigned int) i);
  }
  endless.parameters = many;
  assert_int_equal (codec_parameters_check_described (&endless, &err), -1);
  assert_non_null (strstr (err.what, "must end .parameters"));
}

static void
assert_accepts (const char *text)
{
  struct error err = { 0 };

  if (codec_parameters_check (&ops, text, &err) < 0)
    fail_msg ("%s: %s", text, err.what);
}

static void
assert_refuses (const char *text, const char *message)
{
  struct error err = { 0 };

  assert_int_equal (codec_parameters_check (&ops, text, &err), -1);
  assert_int_equal (err.kind, ERROR_USAGE);
  if (strstr (err.what, message) == NULL)
    fail_msg ("%s: \"%s\" instead of \"%s\"", text, err.what, message);
}

static void
test_check (void **state)
{
  (void) state;
  assert_accepts ("fast");
  assert_accepts ("level-2=-5");
  assert_accepts ("mode=tex,fast,level-2=9223372036854775807");
  assert_accepts ("mode=binary");
  assert_refuses ("", "has no parameter \"\"");
  assert_refuses ("fas", "has no parameter \"fas\"");
  assert_refuses ("faster", "has no parameter \"faster\"");
  assert_refuses ("fast,", "has no parameter \"\"");
  assert_refuses ("fast,fast", "fast is there more than once");
  assert_refuses ("mode=text,fast,mode=text", "mode is there more than once");
  assert_refuses ("fast=1", "the parameter is fast, not \"fast=1\"");
  assert_refuses ("level-2", "is level-2=-5..9223372036854775807, not "
                  "\"level-2\"");
  assert_refuses ("level-2=", "not \"level-2=\"");
  assert_refuses ("level-2=-", "not \"level-2=-\"");
  assert_refuses ("level-2=-6,fast", "not \"level-2=-6\"");
  assert_refuses ("level-2=9223372036854775808", "not \"level-2=92");
  assert_refuses ("level-2=+1", "not \"level-2=+1\"");
  assert_refuses ("level-2=1x", "not \"level-2=1x\"");
  assert_refuses ("mode=", "not \"mode=\"");
  assert_refuses ("mode=te", "not \"mode=te\"");
  assert_refuses ("mode=text|tex", "not \"mode=text|tex\"");
}

static void
test_hint (void **state)
{
  struct error err = { 0 };

  (void) state;
  codec_parameters_check (&ops, "x", &err);
  assert_string_equal (err.hint, "it has fast, level-2=-5.."
                       "9223372036854775807, mode=text|tex|binary");
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_described),
    cmocka_unit_test (test_one_key_twice),
    cmocka_unit_test (test_no_end),
    cmocka_unit_test (test_check),
    cmocka_unit_test (test_hint),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
