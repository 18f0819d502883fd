/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit test of src/format/footer.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format-samples.h"

static int
decode_sample (const uint8_t *bytes, struct error *err)
{
  struct file_header image = sample_file_header ();
  struct footer footer;

  return footer_decode (bytes, SAMPLE_FOOTER_OFFSET, &image, &footer, err);
}

static void
encode_sample (uint8_t bytes[FOOTER_BYTES])
{
  struct footer footer = sample_footer ();

  footer_encode (&footer, SAMPLE_FOOTER_OFFSET, bytes);
}

static void
test_layout (void **state)
{
  uint8_t bytes[FOOTER_BYTES], id[IMAGE_ID_BYTES];

  (void) state;
  encode_sample (bytes);
  sample_image_id (id);
  assert_memory_equal (bytes, "IPFT", 4);
  assert_int_equal (get_le32 (bytes + 4), 96);
  assert_memory_equal (bytes + 8, id, 16);
  assert_int_equal (get_le64 (bytes + 24), SAMPLE_INDEX_OFFSET);
  assert_int_equal (get_le64 (bytes + 32), 80);
  assert_int_equal (get_le64 (bytes + 40), 1);
  assert_int_equal (get_le64 (bytes + 48), 2);
  assert_int_equal (get_le64 (bytes + 56), SAMPLE_PAYLOAD);
  assert_int_equal (get_le64 (bytes + 64), UINT64_C (0x8877665544332211));
  assert_int_equal (get_le64 (bytes + 72), SAMPLE_FOOTER_OFFSET + 96);
  assert_int_equal (get_le64 (bytes + 80), checksum (bytes, 80));
  assert_memory_equal (bytes + 88, "1SSERPOI", 8);
}

/* The encoding in docs/format.md, "Example". */
static void
test_example (void **state)
{
  struct footer footer = {
    .index_offset = 8274, .index_bytes = 80, .record_count = 1,
    .page_count = 1, .payload_bytes = 4096,
    .digest = digest_next (0, UINT64_C (0x6f21ac52186aa68e)),
  };
  uint8_t bytes[FOOTER_BYTES], i;

  (void) state;
  for (i = 0; i < IMAGE_ID_BYTES; i++)
    footer.image_id[i] = i;
  footer_encode (&footer, 8354, bytes);
  assert_hex (bytes, 64,
              "49504654 60000000"
              "00010203 04050607 08090a0b 0c0d0e0f"
              "52200000 00000000 50000000 00000000"
              "01000000 00000000 01000000 00000000 00100000 00000000");
  assert_hex (bytes + 64, 32,
              "428723bc 55c586d6 02210000 00000000"
              "b63c8eca 9ca95df8 31535345 52504f49");
}

static void
test_round_trip (void **state)
{
  struct file_header image = sample_file_header ();
  struct footer footer = sample_footer (), copy;
  uint8_t bytes[FOOTER_BYTES];
  struct error err = { 0 };

  (void) state;
  footer_encode (&footer, SAMPLE_FOOTER_OFFSET, bytes);
  assert_int_equal (footer_decode (bytes, SAMPLE_FOOTER_OFFSET, &image,
                                   &copy, &err), 0);
  assert_int_equal (err.kind, ERROR_NONE);
  assert_memory_equal (copy.image_id, footer.image_id, IMAGE_ID_BYTES);
  assert_int_equal (copy.index_offset, footer.index_offset);
  assert_int_equal (copy.index_bytes, footer.index_bytes);
  assert_int_equal (copy.record_count, footer.record_count);
  assert_int_equal (copy.page_count, footer.page_count);
  assert_int_equal (copy.payload_bytes, footer.payload_bytes);
  assert_int_equal (copy.digest, footer.digest);
}

/* FOOTER, its index placed where it belongs, is accepted for IMAGE. */
static void
assert_accepted (struct footer footer, const struct file_header *image)
{
  uint8_t bytes[FOOTER_BYTES];
  struct error err = { 0 };
  struct footer copy;
  uint64_t offset;

  footer.index_offset = records_start (image) + footer.payload_bytes +
    footer.record_count * (80 + page_map_bytes (image->chunk_bytes));
  footer.index_bytes = 48 + 32 * footer.record_count;
  offset = footer.index_offset + footer.index_bytes;
  footer_encode (&footer, offset, bytes);
  assert_int_equal (footer_decode (bytes, offset, image, &copy, &err), 0);
  assert_int_equal (err.kind, ERROR_NONE);
}

static void
test_bounds_accepted (void **state)
{
  struct file_header image = sample_file_header ();
  struct footer footer = sample_footer ();

  (void) state;
  footer.record_count = footer.page_count = footer.payload_bytes = 0;
  assert_accepted (footer, &image);
  footer.record_count = footer.page_count = footer.payload_bytes = 3;
  assert_accepted (footer, &image);
  footer.page_count = 36;
  footer.payload_bytes = 36 * 4096;
  assert_accepted (footer, &image);
  image.source_bytes = INT64_MAX;
  footer.record_count = UINT64_C (1) << 47;
  footer.page_count = UINT64_C (1) << 51;
  footer.payload_bytes = UINT64_C (1) << 63;
  assert_accepted (footer, &image);
}

static const struct mutation mutations[] = {
  { 88, 1, 'I', "footer: end magic is missing, the image is incomplete" },
  { 95, 1, '1', "footer: end magic is missing, the image is incomplete" },
  { 0, 1, 'i', "footer: magic is missing" },
  { 3, 1, 'X', "footer: magic is missing" },
  { 8, 1, 0, "footer: belongs to another image" },
  { 23, 1, 0, "footer: belongs to another image" },
  { 4, 4, 95, "footer: length is 95, expected 96" },
  { 72, 8, 16643, "footer: image ends at offset 16642, expected 16643" },
  { 40, 8, 4,
    "footer: 4 records, but the source has only 3 windows" },
  { 40, 8, UINT64_MAX, "footer: 18446744073709551615 records, but the source "
    "has only 3 windows" },
  { 48, 8, 0, "footer: 0 pages, expected 1 to 16" },
  { 48, 8, 17, "footer: 17 pages, expected 1 to 16" },
  { 56, 8, 0, "footer: 0 payload bytes, expected 1 to 8192" },
  { 56, 8, 8193, "footer: 8193 payload bytes, expected 1 to 8192" },
  { 32, 8, 81, "footer: index has 81 bytes, expected 80" },
  { 24, 8, 16465, "footer: index is at offset 16465, expected 16466" },
  { 56, 8, 8191, "footer: index is at offset 16466, expected 16465" },
};

static struct part_case part = {
  .name = "footer",
  .length = FOOTER_BYTES,
  .checked = 80,
  .encode = encode_sample,
  .decode = decode_sample,
  .mutations = mutations,
  .mutation_count = sizeof mutations / sizeof mutations[0],
  .wrong_checksum = UINT64_MAX,
};

/* The source has 16 + 16 + 4 pages, fewer than three full windows. */
static void
test_page_total_refused (void **state)
{
  struct file_header image = sample_file_header ();
  struct footer footer = sample_footer (), copy;
  uint8_t bytes[FOOTER_BYTES];
  struct error err = { 0 };

  (void) state;
  footer.record_count = 3;
  footer.page_count = 37;
  footer_encode (&footer, SAMPLE_FOOTER_OFFSET, bytes);
  assert_refused (footer_decode (bytes, SAMPLE_FOOTER_OFFSET, &image, &copy,
                                 &err), &err,
                  "footer: 37 pages, expected 3 to 36");
}

/* A footer that says where it is, but does not follow its index. */
static void
test_gap_refused (void **state)
{
  struct file_header image = sample_file_header ();
  struct footer footer = sample_footer (), copy;
  uint8_t bytes[FOOTER_BYTES];
  struct error err = { 0 };

  (void) state;
  footer_encode (&footer, SAMPLE_FOOTER_OFFSET + 8, bytes);
  assert_refused (footer_decode (bytes, SAMPLE_FOOTER_OFFSET + 8, &image,
                                 &copy, &err), &err,
                  "footer is at offset 16554, but its index ends at 16546");
}

static void
test_digest (void **state)
{
  static const uint8_t zeros[16];
  static const uint8_t ordered[16] = {
    0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 1, 2, 3, 4, 5, 6, 7, 8,
  };

  (void) state;
  assert_int_equal (digest_next (0, 0), checksum (zeros, 16));
  assert_int_equal (digest_next (UINT64_C (0x0123456789abcdef),
                                 UINT64_C (0x0807060504030201)),
                    checksum (ordered, 16));
  assert_int_not_equal (digest_next (digest_next (0, 1), 2),
                        digest_next (digest_next (0, 2), 1));
}

/* Counting the sample's one record gives the sample's totals. */
static void
test_count (void **state)
{
  struct record_header record = sample_record_header ();
  struct index_entry entry = index_entry_of (&record, 4096);
  struct footer counted = { 0 }, expected = sample_footer ();

  (void) state;
  entry.header_checksum = 77;
  expected.digest = digest_next (0, 77);
  footer_count (&counted, &entry, record.chunk_bytes);
  assert_true (footer_same_totals (&counted, &expected));
  footer_count (&counted, &entry, record.chunk_bytes);
  assert_false (footer_same_totals (&counted, &expected));
  assert_int_equal (counted.record_count, 2);
  assert_int_equal (counted.page_count, 2 * expected.page_count);
  assert_int_equal (counted.payload_bytes, 2 * SAMPLE_PAYLOAD);
  assert_int_equal (counted.digest, digest_next (expected.digest, 77));
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
    cmocka_unit_test (test_page_total_refused),
    cmocka_unit_test (test_gap_refused),
    cmocka_unit_test (test_digest),
    cmocka_unit_test (test_count),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
