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

/* A damaged one is one still. */
static void
test_begins (void **state)
{
  struct marker marker = sample (), decoded;
  uint8_t bytes[MARKER_BYTES];
  size_t i;

  (void) state;
  marker_encode (&marker, bytes);
  assert_true (marker_begins (bytes));
  bytes[50] ^= 1;
  assert_true (marker_begins (bytes));
  assert_false (marker_decode (bytes, &decoded));
  bytes[50] ^= 1;
  for (i = 0; i < MARKER_MAGIC_BYTES; i++) {
    bytes[i] ^= 1;
    assert_true (marker_begins (bytes));
    assert_false (marker_decode (bytes, &decoded));
    bytes[i] ^= 1;
  }
  memset (bytes, 0, MARKER_MAGIC_BYTES);
  assert_true (marker_begins (bytes));
  bytes[50] ^= 1;
  assert_false (marker_begins (bytes));
  marker.kind = MARKER_EXPANDING;
  marker_encode (&marker, bytes);
  assert_false (marker_begins (bytes));
  memset (bytes, 0, sizeof bytes);
  assert_false (marker_begins (bytes));
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

/* docs/format.md, "The marker of an image that is being expanded". */
static void
test_expanding (void **state)
{
  struct marker marker = sample (), decoded;
  uint8_t bytes[3 * MARKER_BYTES] = { 0 };

  (void) state;
  marker.kind = MARKER_EXPANDING;
  marker.consumed_bytes = 0;
  marker_encode (&marker, bytes + 77);
  assert_memory_equal (bytes + 77, "IOPRUNPK", 8);
  assert_true (marker_decode (bytes + 77, &decoded));
  assert_int_equal (decoded.kind, MARKER_EXPANDING);
  assert_int_equal (decoded.source_bytes, marker.source_bytes);
  assert_true (marker_find_expanding (bytes, sizeof bytes, &decoded));
  assert_memory_equal (decoded.image_id, marker.image_id, IMAGE_ID_BYTES);
  assert_false (marker_find_expanding (bytes, 77 + MARKER_BYTES - 1,
                                       &decoded));
  /* Behind one that is broken. */
  memcpy (bytes, bytes + 77, MARKER_BYTES);
  bytes[20] ^= 1;
  assert_true (marker_find_expanding (bytes, sizeof bytes, &decoded));
  bytes[77 + 20] ^= 1;
  assert_false (marker_find_expanding (bytes, sizeof bytes, &decoded));
  /* The other kind is not looked for. */
  marker = sample ();
  marker_encode (&marker, bytes);
  assert_true (marker_decode (bytes, &decoded));
  assert_int_equal (decoded.kind, MARKER_CONSUMED);
  assert_false (marker_find_expanding (bytes, sizeof bytes, &decoded));
}

/* Within the file header and within one sector, wherever that begins. */
static void
test_expanding_offset (void **state)
{
  uint64_t prefix;

  (void) state;
  for (prefix = 0; prefix < 5000; prefix++) {
    uint64_t offset = marker_expanding_offset (prefix);

    assert_in_range (offset, prefix, prefix + MARKER_BYTES - 1);
    assert_int_equal (offset / MARKER_SECTOR_BYTES,
                      (offset + MARKER_BYTES - 1) / MARKER_SECTOR_BYTES);
    if (prefix % 512 <= 448)
      assert_int_equal (offset, prefix);
  }
}

static void
test_aside_suffix (void **state)
{
  static const uint8_t id[IMAGE_ID_BYTES] = { 0x00, 0xab, 0x09, 0xff, 1 };
  char suffix[ASIDE_SUFFIX_BYTES];

  (void) state;
  aside_suffix (id, suffix);
  assert_string_equal (suffix, ".packed-00ab09ff");
}

static void
test_aside_suffix_of (void **state)
{
  static const char name[] = "a.packed-00ab09ff.packed-11ab09ff";

  (void) state;
  assert_ptr_equal (aside_suffix_of (name), name + 17);
  assert_null (aside_suffix_of (name + 17));
  assert_null (aside_suffix_of (""));
  assert_null (aside_suffix_of ("a.packed-00ab09f"));
  assert_null (aside_suffix_of ("a.packed-00ab09fF"));
  assert_null (aside_suffix_of ("a.packed-00ab09ffe"));
  assert_null (aside_suffix_of ("a.packed_00ab09ff"));
  assert_null (aside_suffix_of ("a.packed-00ab09ff.part"));
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_round_trip),
    cmocka_unit_test (test_layout),
    cmocka_unit_test (test_begins),
    cmocka_unit_test (test_every_flip_is_refused),
    cmocka_unit_test (test_bounds),
    cmocka_unit_test (test_expanding),
    cmocka_unit_test (test_expanding_offset),
    cmocka_unit_test (test_aside_suffix),
    cmocka_unit_test (test_aside_suffix_of),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
