/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit test of src/format/format.h. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format-samples.h"

static void
test_chunk_bytes_valid (void **state)
{
  uint32_t shift;

  (void) state;
  for (shift = 0; shift < 32; shift++)
    assert_int_equal (chunk_bytes_valid (UINT32_C (1) << shift),
                      shift >= 16 && shift <= 24);
  assert_false (chunk_bytes_valid (0));
  assert_false (chunk_bytes_valid (CHUNK_BYTES_MIN + 4096));
  assert_false (chunk_bytes_valid (3 * CHUNK_BYTES_MIN));
}

static void
test_windows (void **state)
{
  (void) state;
  assert_int_equal (page_map_bytes (CHUNK_BYTES_MIN), 2);
  assert_int_equal (page_map_bytes (CHUNK_BYTES_MAX), 512);
  assert_int_equal (window_count (0, 65536), 0);
  assert_int_equal (window_count (1, 65536), 1);
  assert_int_equal (window_count (65536, 65536), 1);
  assert_int_equal (window_count (65537, 65536), 2);
  assert_int_equal (window_count (SAMPLE_SOURCE, SAMPLE_CHUNK),
                    SAMPLE_WINDOWS);
  assert_int_equal (window_pages (0, SAMPLE_SOURCE, SAMPLE_CHUNK), 16);
  assert_int_equal (window_pages (1, SAMPLE_SOURCE, SAMPLE_CHUNK), 16);
  assert_int_equal (window_pages (2, SAMPLE_SOURCE, SAMPLE_CHUNK),
                    SAMPLE_LAST_PAGES);
  assert_int_equal (window_pages (0, 1, SAMPLE_CHUNK), 1);
  assert_int_equal (window_pages (0, 4096, SAMPLE_CHUNK), 1);
  assert_int_equal (window_pages (0, 4097, SAMPLE_CHUNK), 2);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_chunk_bytes_valid),
    cmocka_unit_test (test_windows),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
