/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit test of src/util/checksum.c: the values in docs/format.md. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/checksum.h"

#define SAMPLE_BYTES 2367u

/* Byte N is N modulo 251. */
static void
fill (uint8_t bytes[SAMPLE_BYTES])
{
  size_t i;

  for (i = 0; i < SAMPLE_BYTES; i++)
    bytes[i] = (uint8_t) (i % 251);
}

/* At least one length for each branch of the algorithm. */
static void
test_vectors (void **state)
{
  static const struct {
    size_t length;
    uint64_t sum;
  } vectors[] = {
    { 0, UINT64_C (0x2d06800538d394c2) },
    { 1, UINT64_C (0xc44bdff4074eecdb) },
    { 3, UINT64_C (0x5f4299fc161c9cbb) },
    { 4, UINT64_C (0x60dab036a58211f2) },
    { 8, UINT64_C (0x3a1c2d7c85af88f8) },
    { 9, UINT64_C (0xe9612598145bb9dc) },
    { 16, UINT64_C (0x8355e3a6f61770db) },
    { 17, UINT64_C (0x9ef341a99de37328) },
    { 80, UINT64_C (0xabb472edd4e038cf) },
    { 128, UINT64_C (0x85c6174c7ff4c46b) },
    { 129, UINT64_C (0xec7642b431ba3e5a) },
    { 240, UINT64_C (0x375a384d957fe865) },
    { 241, UINT64_C (0x02e8cd95421c6d02) },
    { 256, UINT64_C (0x44f5d90dacde463a) },
    { 1024, UINT64_C (0xe5d78bafa45b2aa5) },
    { 1025, UINT64_C (0xe95c42288f28186e) },
    { 2048, UINT64_C (0x25339063db861586) },
    { 2367, UINT64_C (0x5559e6316608ad05) },
  };
  uint8_t bytes[SAMPLE_BYTES];
  size_t i;

  (void) state;
  fill (bytes);
  for (i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
    assert_int_equal (checksum (bytes, vectors[i].length), vectors[i].sum);
}

/* Wherever the bytes are cut in two. */
static void
test_two (void **state)
{
  static const size_t lengths[] = { 0, 1, 16, 240, 241, 1025, SAMPLE_BYTES };
  uint8_t bytes[SAMPLE_BYTES];
  size_t i, cut;

  (void) state;
  fill (bytes);
  for (i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
    for (cut = 0; cut <= lengths[i]; cut++)
      assert_int_equal (checksum_two (bytes, cut, bytes + cut,
                                      lengths[i] - cut),
                        checksum (bytes, lengths[i]));
}

/* In parts of any length. */
static void
test_parts (void **state)
{
  static const size_t lengths[] = { 0, 1, 16, 240, 241, 1025, SAMPLE_BYTES };
  uint8_t bytes[SAMPLE_BYTES];
  size_t i, part, done;

  (void) state;
  fill (bytes);
  for (i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
    for (part = 1; part <= SAMPLE_BYTES; part += 61) {
      struct checksum_parts *parts = checksum_begin ();

      assert_non_null (parts);
      for (done = 0; done < lengths[i]; done += part)
        checksum_add (parts, bytes + done, lengths[i] - done < part
                      ? lengths[i] - done : part);
      assert_int_equal (checksum_end (parts), checksum (bytes, lengths[i]));
    }
}

static void
test_unaligned (void **state)
{
  uint8_t bytes[SAMPLE_BYTES], moved[SAMPLE_BYTES + 8];
  size_t shift, i;

  (void) state;
  fill (bytes);
  for (shift = 0; shift < 8; shift++) {
    for (i = 0; i < SAMPLE_BYTES; i++)
      moved[shift + i] = bytes[i];
    assert_int_equal (checksum (moved + shift, SAMPLE_BYTES),
                      checksum (bytes, SAMPLE_BYTES));
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_vectors),
    cmocka_unit_test (test_two),
    cmocka_unit_test (test_parts),
    cmocka_unit_test (test_unaligned),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
