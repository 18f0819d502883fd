/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of src/util/name.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/name.h"

static void
test_codec_name_valid (void **state)
{
  (void) state;
  assert_true (codec_name_valid ("zstd"));
  assert_true (codec_name_valid ("lz4"));
  assert_true (codec_name_valid ("a"));
  assert_true (codec_name_valid ("-"));
  assert_true (codec_name_valid ("abcdefghijklmno"));
  assert_false (codec_name_valid ("abcdefghijklmnop"));
  assert_false (codec_name_valid (""));
  assert_false (codec_name_valid ("ZSTD"));
  assert_false (codec_name_valid ("../zstd"));
  assert_false (codec_name_valid ("a.b"));
  assert_false (codec_name_valid ("a_b"));
  assert_false (codec_name_valid ("a b"));
  assert_false (codec_name_valid ("caf\303\251"));
}

static void
test_codec_name_reserved (void **state)
{
  (void) state;
  assert_true (codec_name_reserved ("stored"));
  assert_true (codec_name_reserved ("auto"));
  assert_false (codec_name_reserved ("zstd"));
  assert_false (codec_name_reserved ("automatic"));
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_codec_name_valid),
    cmocka_unit_test (test_codec_name_reserved),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
