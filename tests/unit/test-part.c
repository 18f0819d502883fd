/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit test of src/format/part.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format-samples.h"
#include "format/part.h"

static void
test_seal (void **state)
{
  uint8_t bytes[13] = "ABCDE";

  (void) state;
  assert_int_equal (part_seal (bytes, 5), checksum ("ABCDE", 5));
  assert_int_equal (get_le64 (bytes + 5), checksum ("ABCDE", 5));
  assert_memory_equal (bytes, "ABCDE", 5);
}

static void
test_check (void **state)
{
  uint8_t bytes[13] = "ABCDE";
  struct error none = { 0 }, magic = { 0 }, sum = { 0 };
  int result;

  (void) state;
  part_seal (bytes, 5);
  assert_int_equal (part_check ("part", "ABC", bytes, 5, &none), 0);
  assert_int_equal (none.kind, ERROR_NONE);
  assert_refused (part_check ("part", "ABD", bytes, 5, &magic), &magic,
                  "part: magic is missing");
  put_le64 (bytes + 5, 7);
  result = part_check ("part", "ABC", bytes, 5, &sum);
  assert_refused_checksum (result, &sum, "part: checksum", 7,
                           checksum ("ABCDE", 5));
}

static void
test_check_image (void **state)
{
  uint8_t id[IMAGE_ID_BYTES], other[IMAGE_ID_BYTES];
  struct error none = { 0 };
  size_t i;

  (void) state;
  sample_image_id (id);
  assert_int_equal (part_check_image ("part", id, id, &none), 0);
  assert_int_equal (none.kind, ERROR_NONE);
  for (i = 0; i < IMAGE_ID_BYTES; i++) {
    struct error err = { 0 };

    sample_image_id (other);
    other[i] ^= 1;
    assert_refused (part_check_image ("part", other, id, &err), &err,
                    "part: belongs to another image");
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_seal),
    cmocka_unit_test (test_check),
    cmocka_unit_test (test_check_image),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
