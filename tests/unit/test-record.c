/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit test of src/format/record.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format-samples.h"

#define CHECKED (RECORD_HEADER_BYTES - 8)

static int
decode_any (const uint8_t *bytes, struct error *err)
{
  struct record_header record;

  return record_header_decode (bytes, &record, err);
}

static void
encode_sample (uint8_t bytes[RECORD_HEADER_BYTES])
{
  struct record_header record = sample_record_header ();

  record_header_encode (&record, bytes);
}

static void
test_layout (void **state)
{
  uint8_t bytes[RECORD_HEADER_BYTES], id[IMAGE_ID_BYTES];

  (void) state;
  encode_sample (bytes);
  sample_image_id (id);
  assert_memory_equal (bytes, "IPRC", 4);
  assert_int_equal (get_le32 (bytes + 4), 1);
  assert_memory_equal (bytes + 8, id, 16);
  assert_int_equal (get_le64 (bytes + 24), SAMPLE_WINDOWS - 1);
  assert_int_equal (get_le64 (bytes + 32), SAMPLE_SOURCE);
  assert_int_equal (get_le32 (bytes + 40), SAMPLE_PREFIX);
  assert_int_equal (get_le32 (bytes + 44), SAMPLE_CHUNK);
  assert_int_equal (get_le32 (bytes + 48), SAMPLE_PAYLOAD);
  assert_int_equal (get_le32 (bytes + 52), SAMPLE_PAYLOAD);
  assert_int_equal (get_le64 (bytes + 56), UINT64_C (0x1122334455667788));
  assert_int_equal (get_le64 (bytes + 64), UINT64_C (0x99aabbccddeeff00));
  assert_int_equal (get_le64 (bytes + 72), checksum (bytes, 72));
}

/* The encoding in docs/format.md, "Example". */
static void
test_example (void **state)
{
  struct record_header record = {
    .flags = RECORD_STORED, .source_bytes = 4096, .chunk_bytes = 65536,
    .raw_bytes = 4096, .payload_bytes = 4096,
  };
  uint8_t bytes[RECORD_HEADER_BYTES], body[2 + 4096], i;

  (void) state;
  for (i = 0; i < IMAGE_ID_BYTES; i++)
    record.image_id[i] = i;
  memset (body + 2, 'A', 4096);
  body[0] = 1;
  body[1] = 0;
  record.raw_checksum = checksum (body + 2, 4096);
  record.stored_checksum = checksum (body, sizeof body);
  record_header_encode (&record, bytes);
  assert_hex (bytes, 56,
              "49505243 01000000"
              "00010203 04050607 08090a0b 0c0d0e0f"
              "00000000 00000000 00100000 00000000"
              "00000000 00000100 00100000 00100000");
  assert_hex (bytes + 56, 24,
              "bd167c15 7ae33da0 c81ef670 0366f7e5 8ea66a18 52ac216f");
}

static void
test_round_trip (void **state)
{
  struct record_header record = sample_record_header (), copy;
  uint8_t bytes[RECORD_HEADER_BYTES], again[RECORD_HEADER_BYTES];
  struct error err = { 0 };

  (void) state;
  record_header_encode (&record, bytes);
  assert_int_equal (record_header_decode (bytes, &copy, &err), 0);
  assert_int_equal (err.kind, ERROR_NONE);
  assert_int_equal (copy.flags, record.flags);
  assert_memory_equal (copy.image_id, record.image_id, IMAGE_ID_BYTES);
  assert_int_equal (copy.window, record.window);
  assert_int_equal (copy.source_bytes, record.source_bytes);
  assert_int_equal (copy.prefix_bytes, record.prefix_bytes);
  assert_int_equal (copy.chunk_bytes, record.chunk_bytes);
  assert_int_equal (copy.raw_bytes, record.raw_bytes);
  assert_int_equal (copy.payload_bytes, record.payload_bytes);
  assert_int_equal (copy.raw_checksum, record.raw_checksum);
  assert_int_equal (copy.stored_checksum, record.stored_checksum);
  assert_int_equal (copy.header_checksum, record.header_checksum);
  assert_int_equal (copy.header_checksum, checksum (bytes, CHECKED));
  record_header_encode (&copy, again);
  assert_memory_equal (again, bytes, RECORD_HEADER_BYTES);
}

static void
test_bounds_accepted (void **state)
{
  struct record_header record = sample_record_header (), copy;
  uint8_t bytes[RECORD_HEADER_BYTES];
  struct error err = { 0 };

  (void) state;
  record.flags = 0;
  record.payload_bytes = 1;
  record.raw_bytes = SAMPLE_LAST_PAGES * 4096;
  record_header_encode (&record, bytes);
  assert_int_equal (record_header_decode (bytes, &copy, &err), 0);
  record = sample_record_header ();
  record.prefix_bytes = SAMPLE_SOURCE;
  record_header_encode (&record, bytes);
  assert_int_equal (record_header_decode (bytes, &copy, &err), 0);
  record.source_bytes = INT64_MAX;
  record.prefix_bytes = PREFIX_BYTES_MAX;
  record.chunk_bytes = CHUNK_BYTES_MAX;
  record.window = INT64_MAX / CHUNK_BYTES_MAX;
  record.raw_bytes = CHUNK_BYTES_MAX;
  record.payload_bytes = CHUNK_BYTES_MAX;
  record_header_encode (&record, bytes);
  assert_int_equal (record_header_decode (bytes, &copy, &err), 0);
  assert_int_equal (err.kind, ERROR_NONE);
}

static const struct mutation mutations[] = {
  { 0, 1, 'i', "record header: magic is missing" },
  { 3, 1, 'X', "record header: magic is missing" },
  { 4, 4, 3, "record header: unknown flags 0x2" },
  { 4, 4, 0x80000000, "record header: unknown flags 0x80000000" },
  { 44, 4, 32768, "record header: chunk size 32768 is not a power of two "
    "from 65536 to 16777216" },
  { 44, 4, 0, "record header: chunk size 0 is not a power of two from 65536 "
    "to 16777216" },
  { 44, 4, 0xffffffff, "record header: chunk size 4294967295 is not a power "
    "of two from 65536 to 16777216" },
  { 32, 8, UINT64_C (0x8000000000000000),
    "record header: source size 9223372036854775808 is too large" },
  { 40, 4, 16777217,
    "record header: prefix length 16777217 is above 16777216" },
  { 32, 8, 4999,
    "record header: source size 4999 is below the prefix length 5000" },
  { 24, 8, 3, "record header: window 3 is past the end of the source, which "
    "has 3" },
  { 24, 8, UINT64_MAX, "record header: window 18446744073709551615 is past "
    "the end of the source, which has 3" },
  { 48, 4, 0, "record header: raw length 0 is not a multiple of 4096 from "
    "4096 to 16384" },
  { 48, 4, 8193, "record header: raw length 8193 is not a multiple of 4096 "
    "from 4096 to 16384" },
  { 48, 4, 20480, "record header: raw length 20480 is not a multiple of 4096 "
    "from 4096 to 16384" },
  { 52, 4, 0, "record header: payload length 0 is not from 1 to the raw "
    "length 8192" },
  { 52, 4, 8193, "record header: payload length 8193 is not from 1 to the "
    "raw length 8192" },
  { 52, 4, 8191,
    "record header: stored payload length 8191 is not the raw length 8192" },
};

static struct part_case part = {
  .name = "record header",
  .length = RECORD_HEADER_BYTES,
  .checked = CHECKED,
  .encode = encode_sample,
  .decode = decode_any,
  .mutations = mutations,
  .mutation_count = sizeof mutations / sizeof mutations[0],
  .wrong_checksum = 0,
};

static void
test_belongs (void **state)
{
  struct file_header header = sample_file_header ();
  struct record_header record = sample_record_header ();

  (void) state;
  assert_true (record_belongs (&record, &header));
  record.image_id[15] ^= 1;
  assert_false (record_belongs (&record, &header));
  record = sample_record_header ();
  record.source_bytes++;
  assert_false (record_belongs (&record, &header));
  record = sample_record_header ();
  record.prefix_bytes--;
  assert_false (record_belongs (&record, &header));
  record = sample_record_header ();
  record.chunk_bytes *= 2;
  assert_false (record_belongs (&record, &header));
}

static void
test_lengths (void **state)
{
  struct record_header record = sample_record_header ();

  (void) state;
  assert_int_equal (record_body_bytes (&record), SAMPLE_BODY_BYTES);
  assert_int_equal (record_bytes (&record),
                    SAMPLE_RECORD_FIXED + SAMPLE_PAYLOAD);
  record.chunk_bytes = CHUNK_BYTES_MAX;
  record.payload_bytes = CHUNK_BYTES_MAX;
  assert_int_equal (record_bytes (&record), 80 + 512 + CHUNK_BYTES_MAX);
}

static void
test_body (void **state)
{
  struct record_header record = sample_record_header ();
  uint8_t body[SAMPLE_BODY_BYTES];
  struct error err = { 0 };

  (void) state;
  sample_body (&record, body);
  assert_int_equal (record_body_check (&record, body, &err), 0);
  assert_int_equal (err.kind, ERROR_NONE);
}

static void
test_body_checksum_refused (void **state)
{
  static const size_t places[] = { 0, 1, 2, 4000, SAMPLE_BODY_BYTES - 1 };
  struct record_header record = sample_record_header ();
  uint8_t body[SAMPLE_BODY_BYTES];
  size_t i;

  (void) state;
  for (i = 0; i < sizeof places / sizeof places[0]; i++) {
    struct error err = { 0 };
    int result;

    sample_body (&record, body);
    body[places[i]] ^= 0x10;
    result = record_body_check (&record, body, &err);
    assert_refused_checksum (result, &err,
                             "record of window 2: stored checksum",
                             checksum (body, sizeof body),
                             record.stored_checksum);
  }
}

static void
test_page_map_refused (void **state)
{
  static const struct {
    uint8_t map[2];
    const char *message;
  } maps[] = {
    { { 0x00, 0x00 },
      "record of window 2: page map has 0 pages, expected 2" },
    { { 0x01, 0x00 },
      "record of window 2: page map has 1 pages, expected 2" },
    { { 0x0b, 0x00 },
      "record of window 2: page map has 3 pages, expected 2" },
    { { 0xff, 0xff },
      "record of window 2: page map has 16 pages, expected 2" },
    { { 0x11, 0x00 },
      "record of window 2: page 4 is past the end of the source" },
    { { 0x01, 0x80 },
      "record of window 2: page 15 is past the end of the source" },
  };
  struct record_header record = sample_record_header ();
  uint8_t body[SAMPLE_BODY_BYTES];
  size_t i;

  (void) state;
  for (i = 0; i < sizeof maps / sizeof maps[0]; i++) {
    struct error err = { 0 };

    sample_body (&record, body);
    memcpy (body, maps[i].map, 2);
    record.stored_checksum = checksum (body, sizeof body);
    assert_refused (record_body_check (&record, body, &err), &err,
                    maps[i].message);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_layout),
    cmocka_unit_test (test_example),
    cmocka_unit_test (test_round_trip),
    cmocka_unit_test (test_bounds_accepted),
    PART_TESTS (&part),
    cmocka_unit_test (test_belongs),
    cmocka_unit_test (test_lengths),
    cmocka_unit_test (test_body),
    cmocka_unit_test (test_body_checksum_refused),
    cmocka_unit_test (test_page_map_refused),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
