/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit test of src/format/file_header.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format-samples.h"

#define CHECKED (FILE_HEADER_BYTES - 8)

static int
decode_sample (const uint8_t *bytes, struct error *err)
{
  struct file_header header;

  return file_header_decode (bytes, SAMPLE_PREFIX, &header, err);
}

static void
encode_sample (uint8_t bytes[FILE_HEADER_BYTES])
{
  struct file_header header = sample_file_header ();

  file_header_encode (&header, bytes);
}

static void
test_layout (void **state)
{
  uint8_t bytes[FILE_HEADER_BYTES], id[IMAGE_ID_BYTES];

  (void) state;
  encode_sample (bytes);
  sample_image_id (id);
  assert_memory_equal (bytes, "IOPRESS1", 8);
  assert_int_equal (get_le16 (bytes + 8), 1);
  assert_int_equal (get_le16 (bytes + 10), 0);
  assert_int_equal (get_le32 (bytes + 12), 256);
  assert_memory_equal (bytes + 16, id, 16);
  assert_int_equal (get_le64 (bytes + 32), SAMPLE_PREFIX);
  assert_int_equal (get_le64 (bytes + 40), SAMPLE_SOURCE);
  assert_int_equal (get_le32 (bytes + 48), SAMPLE_CHUNK);
  assert_int_equal (get_le32 (bytes + 52), IMAGE_MAPPED_RAM);
  assert_int_equal (get_le64 (bytes + 56), 0);
  assert_int_equal (get_le64 (bytes + 64), FEATURE_EXACT);
  assert_memory_equal (bytes + 72, "zstd\0\0\0\0\0\0\0\0\0\0\0\0", 16);
  assert_int_equal (get_le32 (bytes + 88), 0xfffffffd);
  assert_int_equal (get_le32 (bytes + 92), 0);
  assert_memory_equal (bytes + 96, "long=27", 8);
  assert_true (bytes_are_zero (bytes + 103, 64 - 7));
  assert_true (bytes_are_zero (bytes + 160, 88));
  assert_int_equal (get_le64 (bytes + 248), checksum (bytes, 248));
}

/* The encoding in docs/format.md, "Example". */
static void
test_example (void **state)
{
  struct file_header header = {
    .major = 1, .source_bytes = 4096, .chunk_bytes = 65536,
    .kind = IMAGE_RAW, .codec = CODEC_STORED,
  };
  uint8_t bytes[FILE_HEADER_BYTES], i;

  (void) state;
  for (i = 0; i < IMAGE_ID_BYTES; i++)
    header.image_id[i] = i;
  file_header_encode (&header, bytes);
  assert_hex (bytes, 96,
              "494f5052 45535331 01000000 00010000"
              "00010203 04050607 08090a0b 0c0d0e0f"
              "00000000 00000000 00100000 00000000"
              "00000100 00000000 00000000 00000000"
              "00000000 00000000 73746f72 65640000"
              "00000000 00000000 00000000 00000000");
  assert_true (bytes_are_zero (bytes + 96, 248 - 96));
  assert_hex (bytes + 248, 8, "61194cee 3c3654f3");
}

static void
test_round_trip (void **state)
{
  struct file_header header = sample_file_header (), copy;
  uint8_t bytes[FILE_HEADER_BYTES], again[FILE_HEADER_BYTES];
  struct error err = { 0 };

  (void) state;
  file_header_encode (&header, bytes);
  assert_int_equal (file_header_decode (bytes, SAMPLE_PREFIX, &copy, &err),
                    0);
  assert_int_equal (err.kind, ERROR_NONE);
  assert_int_equal (copy.major, header.major);
  assert_int_equal (copy.minor, header.minor);
  assert_memory_equal (copy.image_id, header.image_id, IMAGE_ID_BYTES);
  assert_int_equal (copy.prefix_bytes, header.prefix_bytes);
  assert_int_equal (copy.source_bytes, header.source_bytes);
  assert_int_equal (copy.chunk_bytes, header.chunk_bytes);
  assert_int_equal (copy.kind, header.kind);
  assert_int_equal (copy.incompatible, header.incompatible);
  assert_int_equal (copy.compatible, header.compatible);
  assert_string_equal (copy.codec, header.codec);
  assert_int_equal (copy.level, header.level);
  assert_string_equal (copy.parameters, header.parameters);
  file_header_encode (&copy, again);
  assert_memory_equal (again, bytes, FILE_HEADER_BYTES);
}

/* The greatest and the smallest values that are allowed. */
static void
test_bounds_accepted (void **state)
{
  struct file_header header = sample_file_header (), copy;
  uint8_t bytes[FILE_HEADER_BYTES];
  struct error err = { 0 };

  (void) state;
  header.prefix_bytes = PREFIX_BYTES_MAX;
  header.source_bytes = INT64_MAX;
  header.chunk_bytes = CHUNK_BYTES_MAX;
  header.compatible = UINT64_MAX;
  memset (header.parameters, '~', CODEC_PARAMETERS_BYTES - 1);
  header.parameters[0] = ' ';
  memset (header.codec, '-', CODEC_NAME_BYTES - 1);
  file_header_encode (&header, bytes);
  assert_int_equal (file_header_decode (bytes, PREFIX_BYTES_MAX, &copy,
                                        &err), 0);
  header = (struct file_header) {
    .major = 1, .chunk_bytes = CHUNK_BYTES_MIN, .codec = "x",
  };
  file_header_encode (&header, bytes);
  assert_int_equal (file_header_decode (bytes, 0, &copy, &err), 0);
  assert_int_equal (err.kind, ERROR_NONE);
}

/* A later minor version may use the reserved bytes. */
static void
test_later_minor_accepted (void **state)
{
  uint8_t bytes[FILE_HEADER_BYTES];
  struct error err = { 0 };

  (void) state;
  encode_sample (bytes);
  bytes[10] = 7;
  bytes[92] = 1;
  bytes[200] = 1;
  reseal (bytes, CHECKED);
  assert_int_equal (decode_sample (bytes, &err), 0);
}

static const struct mutation mutations[] = {
  { 0, 1, 'i', "file header: magic is missing" },
  { 7, 1, '2', "file header: magic is missing" },
  { 8, 2, 2,
    "file header: format version 2.0 is not supported, only 1.x" },
  { 8, 4, 0x00050000,
    "file header: format version 0.5 is not supported, only 1.x" },
  { 56, 8, 4, "file header: unknown incompatible features 0x4" },
  { 56, 8, UINT64_C (0x8000000000000001),
    "file header: unknown incompatible features 0x8000000000000000" },
  { 12, 4, 255, "file header: length is 255, expected 256" },
  { 92, 4, 1, "file header: reserved bytes are not zero" },
  { 160, 1, 1, "file header: reserved bytes are not zero" },
  { 247, 1, 1, "file header: reserved bytes are not zero" },
  { 32, 8, 4999,
    "file header: prefix length is 4999, but the header is at offset 5000" },
  { 40, 8, UINT64_C (0x8000000000000000),
    "file header: source size 9223372036854775808 is too large" },
  { 40, 8, 4999,
    "file header: source size 4999 is below the prefix length 5000" },
  { 48, 4, 0, "file header: chunk size 0 is not a power of two from 65536 "
    "to 16777216" },
  { 48, 4, 32768, "file header: chunk size 32768 is not a power of two from "
    "65536 to 16777216" },
  { 48, 4, 65537, "file header: chunk size 65537 is not a power of two from "
    "65536 to 16777216" },
  { 48, 4, 33554432, "file header: chunk size 33554432 is not a power of two "
    "from 65536 to 16777216" },
  { 52, 4, 2, "file header: unknown kind of source 2" },
  { 72, 1, 0, "file header: codec name is not 1 to 15 characters of a-z, "
    "0-9 and '-'" },
  { 72, 1, 'Z', "file header: codec name is not 1 to 15 characters of a-z, "
    "0-9 and '-'" },
  { 73, 1, '/', "file header: codec name is not 1 to 15 characters of a-z, "
    "0-9 and '-'" },
  { 87, 1, 'z', "file header: codec name is not 1 to 15 characters of a-z, "
    "0-9 and '-'" },
  { 96, 1, '\n', "file header: codec parameters are not up to 63 printable "
    "characters" },
  { 96, 1, 0x80, "file header: codec parameters are not up to 63 printable "
    "characters" },
  { 159, 1, 'x', "file header: codec parameters are not up to 63 printable "
    "characters" },
};

static struct part_case part = {
  .name = "file header",
  .length = FILE_HEADER_BYTES,
  .checked = CHECKED,
  .encode = encode_sample,
  .decode = decode_sample,
  .mutations = mutations,
  .mutation_count = sizeof mutations / sizeof mutations[0],
  .wrong_checksum = 0x123,
};

/* Text that fills its field leaves no room for the NUL. */
static void
test_unterminated_refused (void **state)
{
  uint8_t bytes[FILE_HEADER_BYTES];
  struct error name_err = { 0 }, parameters_err = { 0 };

  (void) state;
  encode_sample (bytes);
  memset (bytes + 72, 'a', CODEC_NAME_BYTES);
  reseal (bytes, CHECKED);
  assert_refused (decode_sample (bytes, &name_err), &name_err,
                  "file header: codec name is not 1 to 15 characters of "
                  "a-z, 0-9 and '-'");
  encode_sample (bytes);
  memset (bytes + 96, 'a', CODEC_PARAMETERS_BYTES);
  reseal (bytes, CHECKED);
  assert_refused (decode_sample (bytes, &parameters_err), &parameters_err,
                  "file header: codec parameters are not up to 63 "
                  "printable characters");
}

static void
test_long_prefix_refused (void **state)
{
  struct file_header header = sample_file_header (), copy;
  uint8_t bytes[FILE_HEADER_BYTES];
  struct error err = { 0 };

  (void) state;
  header.prefix_bytes = PREFIX_BYTES_MAX + 1;
  header.source_bytes = PREFIX_BYTES_MAX + 1;
  file_header_encode (&header, bytes);
  assert_refused (file_header_decode (bytes, PREFIX_BYTES_MAX + 1, &copy,
                                      &err), &err,
                  "file header: prefix length 16777217 is above 16777216");
}

#define HAYSTACK_BYTES 8192u

/* The file header at INDEX of a buffer that begins at the file offset that
 * makes it valid.
 */
static uint64_t
haystack (uint8_t *bytes, size_t index)
{
  memset (bytes, 'I', HAYSTACK_BYTES);
  encode_sample (bytes + index);
  return SAMPLE_PREFIX - index;
}

static void
test_find (void **state)
{
  static const size_t places[] = {
    0, 1, 4000, HAYSTACK_BYTES - FILE_HEADER_BYTES - 3192,
  };
  uint8_t *bytes = malloc (HAYSTACK_BYTES);
  size_t i;

  (void) state;
  assert_non_null (bytes);
  for (i = 0; i < sizeof places / sizeof places[0]; i++) {
    uint64_t base = haystack (bytes, places[i]);

    assert_int_equal (file_header_find (bytes, HAYSTACK_BYTES, base),
                      places[i]);
    /* It ends exactly at the end of the buffer, or crosses it. */
    assert_int_equal (file_header_find (bytes, places[i] + 256, base),
                      places[i]);
    assert_int_equal (file_header_find (bytes, places[i] + 255, base), -1);
    /* It is not where it says it is. */
    assert_int_equal (file_header_find (bytes, HAYSTACK_BYTES, base + 1),
                      -1);
    bytes[places[i] + 100] ^= 1;
    assert_int_equal (file_header_find (bytes, HAYSTACK_BYTES, base), -1);
  }
  free (bytes);
}

/* Copies of the header before the one that stands in its place. */
static void
test_find_passes_decoys (void **state)
{
  uint8_t *bytes = malloc (HAYSTACK_BYTES);
  uint64_t base;

  (void) state;
  assert_non_null (bytes);
  base = haystack (bytes, 3000);
  encode_sample (bytes + 10);
  memcpy (bytes + 2990, "IOPRESS1", 8);
  assert_int_equal (file_header_find (bytes, HAYSTACK_BYTES, base), 3000);
  assert_int_equal (file_header_find (bytes, 0, 0), -1);
  assert_int_equal (file_header_find (bytes, 255, 0), -1);
  free (bytes);
}

static void
test_records_start (void **state)
{
  struct file_header header = sample_file_header ();

  (void) state;
  assert_int_equal (records_start (&header), SAMPLE_RECORDS_START);
  header.prefix_bytes = 0;
  assert_int_equal (records_start (&header), 4096);
  header.prefix_bytes = 4096 - 256;
  assert_int_equal (records_start (&header), 4096);
  header.prefix_bytes = 4096 - 255;
  assert_int_equal (records_start (&header), 8192);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_layout),
    cmocka_unit_test (test_example),
    cmocka_unit_test (test_round_trip),
    cmocka_unit_test (test_bounds_accepted),
    cmocka_unit_test (test_later_minor_accepted),
    PART_TESTS (&part),
    cmocka_unit_test (test_unterminated_refused),
    cmocka_unit_test (test_long_prefix_refused),
    cmocka_unit_test (test_find),
    cmocka_unit_test (test_find_passes_decoys),
    cmocka_unit_test (test_records_start),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
