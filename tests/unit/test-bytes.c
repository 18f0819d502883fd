/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit test of src/util/bytes.c and bytes.h. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/bytes.h"

static void
test_byte_order (void **state)
{
  static const uint8_t bytes[9] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
  uint8_t copy[9] = { 0 };

  (void) state;
  assert_int_equal (get_le16 (bytes + 1), 0x0201);
  assert_int_equal (get_be16 (bytes + 1), 0x0102);
  assert_int_equal (get_le32 (bytes + 1), 0x04030201);
  assert_int_equal (get_be32 (bytes + 1), 0x01020304);
  assert_int_equal (get_le64 (bytes + 1), UINT64_C (0x0807060504030201));
  assert_int_equal (get_be64 (bytes + 1), UINT64_C (0x0102030405060708));
  put_le64 (copy + 1, UINT64_C (0x0807060504030201));
  assert_memory_equal (copy, bytes, 9);
  put_be64 (copy + 1, UINT64_C (0x0807060504030201));
  assert_int_equal (copy[1], 8);
  put_le16 (copy + 1, 0x0201);
  put_be16 (copy + 3, 0x0304);
  put_be32 (copy + 5, 0x05060708);
  assert_memory_equal (copy, bytes, 9);
  put_le32 (copy + 5, 0x08070605);
  assert_memory_equal (copy, bytes, 9);
}

static void
test_overflow (void **state)
{
  uint64_t result;

  (void) state;
  assert_true (add_u64 (UINT64_MAX - 1, 1, &result));
  assert_int_equal (result, UINT64_MAX);
  assert_false (add_u64 (UINT64_MAX, 1, &result));
}

static void
test_rounding (void **state)
{
  (void) state;
  assert_false (is_power_of_two (0));
  assert_true (is_power_of_two (1));
  assert_false (is_power_of_two (3));
  assert_true (is_power_of_two (UINT64_C (1) << 63));
  assert_int_equal (align_down (4095, 4096), 0);
  assert_int_equal (align_down (4096, 4096), 4096);
  assert_int_equal (align_up (0, 4096), 0);
  assert_int_equal (align_up (1, 4096), 4096);
  assert_int_equal (align_up (4096, 4096), 4096);
  assert_int_equal (divide_up (0, 7), 0);
  assert_int_equal (divide_up (7, 7), 1);
  assert_int_equal (divide_up (8, 7), 2);
  assert_int_equal (divide_up (UINT64_MAX, 2), UINT64_C (1) << 63);
  assert_int_equal (minimum_u64 (1, 2), 1);
  assert_int_equal (minimum_u64 (2, 1), 1);
  assert_int_equal (maximum_u64 (1, 2), 2);
  assert_int_equal (maximum_u64 (2, 1), 2);
}

/* Every length up to 80 with a single byte set at every place, in memory of
 * exactly that length so that a sanitizer sees a byte too many.
 */
static void
test_zero (void **state)
{
  size_t length, i;

  (void) state;
  for (length = 0; length <= 80; length++) {
    uint8_t *bytes = calloc (1, length + 1);

    assert_non_null (bytes);
    bytes[0] = 1;
    assert_true (bytes_are_zero (bytes + 1, length));
    for (i = 0; i < length; i++) {
      bytes[1 + i] = 0x80;
      assert_false (bytes_are_zero (bytes + 1, length));
      bytes[1 + i] = 0;
    }
    free (bytes);
  }
}

#define BITS 400u

static uint64_t
slow_next (const uint8_t *bitmap, uint64_t from, uint64_t limit, bool set)
{
  while (from < limit && bitmap_test (bitmap, from) != set)
    from++;
  return from < limit ? from : limit;
}

static uint64_t
slow_count (const uint8_t *bitmap, uint64_t first, uint64_t count)
{
  uint64_t i, total = 0;

  for (i = first; i < first + count; i++)
    total += bitmap_test (bitmap, i);
  return total;
}

static void
compare_all (const uint8_t *bitmap)
{
  uint64_t from, limit;

  for (limit = 0; limit <= BITS; limit += 7)
    for (from = 0; from <= limit; from += 3) {
      assert_int_equal (bitmap_next_set (bitmap, from, limit),
                        slow_next (bitmap, from, limit, true));
      assert_int_equal (bitmap_next_clear (bitmap, from, limit),
                        slow_next (bitmap, from, limit, false));
      assert_int_equal (bitmap_count (bitmap, from, limit - from),
                        slow_count (bitmap, from, limit - from));
    }
}

/* Sparse, dense and mixed bitmaps against the obvious loops. */
static void
test_bitmap_searches (void **state)
{
  uint8_t *bitmap = malloc (BITS / 8);
  unsigned int step;

  (void) state;
  assert_non_null (bitmap);
  for (step = 1; step <= 211; step += 14) {
    uint64_t i;

    memset (bitmap, 0, BITS / 8);
    for (i = step / 2; i < BITS; i += step)
      bitmap_set (bitmap, i);
    compare_all (bitmap);
    for (i = 0; i < BITS / 8; i++)
      bitmap[i] = (uint8_t) ~bitmap[i];
    compare_all (bitmap);
  }
  free (bitmap);
}

/* The last byte of the bitmap is the last byte of the memory. */
static void
test_bitmap_end (void **state)
{
  uint8_t *bitmap = calloc (1, 3);

  (void) state;
  assert_non_null (bitmap);
  assert_int_equal (bitmap_next_set (bitmap, 0, 24), 24);
  assert_int_equal (bitmap_next_set (bitmap, 0, 20), 20);
  assert_int_equal (bitmap_count (bitmap, 0, 24), 0);
  assert_int_equal (bitmap_count (bitmap, 24, 0), 0);
  memset (bitmap, 0xff, 3);
  assert_int_equal (bitmap_next_clear (bitmap, 0, 24), 24);
  assert_int_equal (bitmap_next_clear (bitmap, 17, 20), 20);
  assert_int_equal (bitmap_count (bitmap, 0, 24), 24);
  free (bitmap);
}

/* Every alignment of both sides, and nothing written beside. */
static void
test_copy_out (void **state)
{
  static const size_t lengths[] = { 0, 1, 15, 63, 64, 65, 200, 4096 };
  uint8_t from[4096 + 17], to[4096 + 256];
  size_t i, at, shift, j;

  (void) state;
  for (i = 0; i < sizeof from; i++)
    from[i] = (uint8_t) (i * 7 + i / 256 + 1);
  for (i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
    for (at = 0; at < 128; at++)
      for (shift = 0; shift < 17; shift++) {
        memset (to, 0xa5, sizeof to);
        bytes_copy_out (to + at, from + shift, lengths[i]);
        assert_memory_equal (to + at, from + shift, lengths[i]);
        for (j = 0; j < at; j++)
          assert_int_equal (to[j], 0xa5);
        for (j = at + lengths[i]; j < sizeof to; j++)
          assert_int_equal (to[j], 0xa5);
      }
}

static void
test_bitmap_bits (void **state)
{
  uint8_t bitmap[2] = { 0 };

  (void) state;
  bitmap_set (bitmap, 0);
  bitmap_set (bitmap, 15);
  bitmap_set (bitmap, 9);
  assert_int_equal (bitmap[0], 0x01);
  assert_int_equal (bitmap[1], 0x82);
  assert_true (bitmap_test (bitmap, 9));
  assert_false (bitmap_test (bitmap, 10));
  bitmap_clear (bitmap, 9);
  assert_int_equal (bitmap[1], 0x80);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_byte_order),
    cmocka_unit_test (test_overflow),
    cmocka_unit_test (test_rounding),
    cmocka_unit_test (test_copy_out),
    cmocka_unit_test (test_zero),
    cmocka_unit_test (test_bitmap_searches),
    cmocka_unit_test (test_bitmap_end),
    cmocka_unit_test (test_bitmap_bits),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
