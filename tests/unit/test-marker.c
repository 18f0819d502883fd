/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of src/format/marker.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "format/marker.h"
#include "util/checksum.h"

static struct marker
sample (void)
{
  struct marker marker = {
    .consumed_bytes = 0x1234500000,
    .source_bytes = 0x2345600000,
  };

  memset (marker.image_id, 0xa5, IMAGE_ID_BYTES);
  return marker;
}

static void
test_round_trip (void **state)
{
  struct marker marker = sample (), decoded;
  uint8_t bytes[MARKER_BYTES];

  (void) state;
  marker_encode (&marker, bytes);
  assert_true (marker_decode (bytes, &decoded));
  assert_memory_equal (decoded.image_id, marker.image_id, IMAGE_ID_BYTES);
  assert_int_equal (decoded.consumed_bytes, marker.consumed_bytes);
  assert_int_equal (decoded.source_bytes, marker.source_bytes);
}

/* docs/format.md, "The marker of a consumed source". */
static void
test_layout (void **state)
{
  struct marker marker = sample ();
  uint8_t bytes[MARKER_BYTES];

  (void) state;
  marker_encode (&marker, bytes);
  assert_int_equal (sizeof bytes, 64);
  assert_memory_equal (bytes, "IOPRGONE", 8);
  assert_memory_equal (bytes + 8, marker.image_id, IMAGE_ID_BYTES);
  assert_int_equal (get_le64 (bytes + 24), marker.consumed_bytes);
  assert_int_equal (get_le64 (bytes + 32), marker.source_bytes);
  assert_true (bytes_are_zero (bytes + 40, 16));
  assert_int_equal (get_le64 (bytes + 56), checksum (bytes, 56));
}

static void
test_every_flip_is_refused (void **state)
{
  struct marker marker = sample (), decoded;
  uint8_t bytes[MARKER_BYTES];
  size_t i;

  (void) state;
  marker_encode (&marker, bytes);
  for (i = 0; i < sizeof bytes; i++) {
    bytes[i] ^= 1;
    assert_false (marker_decode (bytes, &decoded));
    bytes[i] ^= 1;
  }
}

static void
test_bounds (void **state)
{
  struct marker marker = sample (), decoded;
  uint8_t bytes[MARKER_BYTES] = { 0 };

  (void) state;
  assert_false (marker_decode (bytes, &decoded));
  marker.consumed_bytes = marker.source_bytes;
  marker_encode (&marker, bytes);
  assert_true (marker_decode (bytes, &decoded));
  marker.consumed_bytes++;
  marker_encode (&marker, bytes);
  assert_false (marker_decode (bytes, &decoded));
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_round_trip),
    cmocka_unit_test (test_layout),
    cmocka_unit_test (test_every_flip_is_refused),
    cmocka_unit_test (test_bounds),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
