/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit test of src/format/index.c. */

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
  struct index_header header;

  return index_header_decode (bytes, &image, &header, err);
}

static void
encode_sample (uint8_t bytes[INDEX_HEADER_BYTES])
{
  struct index_header header = sample_index_header ();

  index_header_encode (&header, bytes);
}

static void
test_layout (void **state)
{
  uint8_t bytes[INDEX_HEADER_BYTES], id[IMAGE_ID_BYTES];

  (void) state;
  encode_sample (bytes);
  sample_image_id (id);
  assert_memory_equal (bytes, "IPIX", 4);
  assert_int_equal (get_le32 (bytes + 4), 32);
  assert_memory_equal (bytes + 8, id, 16);
  assert_int_equal (get_le64 (bytes + 24), 1);
  assert_int_equal (get_le64 (bytes + 32), UINT64_C (0xfedcba9876543210));
  assert_int_equal (get_le64 (bytes + 40), checksum (bytes, 40));
}

static void
test_entry_layout (void **state)
{
  struct index_entry entry = sample_index_entry ();
  uint8_t bytes[INDEX_ENTRY_BYTES];

  (void) state;
  index_entry_encode (&entry, bytes);
  assert_int_equal (get_le64 (bytes), SAMPLE_WINDOWS - 1);
  assert_int_equal (get_le64 (bytes + 8), SAMPLE_RECORDS_START);
  assert_int_equal (get_le32 (bytes + 16),
                    SAMPLE_RECORD_FIXED + SAMPLE_PAYLOAD);
  assert_int_equal (get_le32 (bytes + 20), 2);
  assert_int_equal (get_le64 (bytes + 24), UINT64_C (0x0123456789abcdef));
}

/* The encoding in docs/format.md, "Example". */
static void
test_example (void **state)
{
  struct index_entry entry = {
    .offset = 4096, .record_bytes = 4178, .page_count = 1,
    .header_checksum = UINT64_C (0x6f21ac52186aa68e),
  };
  struct index_header header = { .entry_count = 1 };
  uint8_t bytes[INDEX_HEADER_BYTES], entry_bytes[INDEX_ENTRY_BYTES], i;

  (void) state;
  for (i = 0; i < IMAGE_ID_BYTES; i++)
    header.image_id[i] = i;
  index_entry_encode (&entry, entry_bytes);
  assert_hex (entry_bytes, 24,
              "00000000 00000000 00100000 00000000 52100000 01000000");
  header.entries_checksum = checksum (entry_bytes, sizeof entry_bytes);
  index_header_encode (&header, bytes);
  assert_hex (bytes, 32,
              "49504958 20000000"
              "00010203 04050607 08090a0b 0c0d0e0f"
              "01000000 00000000");
  assert_hex (bytes + 32, 16, "161852e4 533f0370 3ee77d4e 06edd5ae");
}

static void
test_round_trip (void **state)
{
  struct file_header image = sample_file_header ();
  struct index_header header = sample_index_header (), copy;
  uint8_t bytes[INDEX_HEADER_BYTES];
  struct error err = { 0 };

  (void) state;
  for (header.entry_count = 0; header.entry_count <= SAMPLE_WINDOWS;
       header.entry_count++) {
    index_header_encode (&header, bytes);
    assert_int_equal (index_header_decode (bytes, &image, &copy, &err), 0);
    assert_memory_equal (copy.image_id, header.image_id, IMAGE_ID_BYTES);
    assert_int_equal (copy.entry_count, header.entry_count);
    assert_int_equal (copy.entries_checksum, header.entries_checksum);
  }
  assert_int_equal (err.kind, ERROR_NONE);
}

static void
test_entry_round_trip (void **state)
{
  struct index_entry entry = {
    .window = UINT64_MAX, .offset = 1, .record_bytes = UINT32_MAX,
    .page_count = 2, .header_checksum = 3,
  };
  struct index_entry copy;
  uint8_t bytes[INDEX_ENTRY_BYTES];

  (void) state;
  index_entry_encode (&entry, bytes);
  index_entry_decode (bytes, &copy);
  assert_int_equal (copy.window, entry.window);
  assert_int_equal (copy.offset, entry.offset);
  assert_int_equal (copy.record_bytes, entry.record_bytes);
  assert_int_equal (copy.page_count, entry.page_count);
  assert_int_equal (copy.header_checksum, entry.header_checksum);
}

static const struct mutation mutations[] = {
  { 0, 1, 'i', "index header: magic is missing" },
  { 3, 1, 'C', "index header: magic is missing" },
  { 8, 1, 0, "index header: belongs to another image" },
  { 23, 1, 0, "index header: belongs to another image" },
  { 4, 4, 24, "index header: entry length is 24, expected 32" },
  { 24, 8, 4,
    "index header: 4 entries, but the source has only 3 windows" },
  { 24, 8, UINT64_MAX, "index header: 18446744073709551615 entries, but the "
    "source has only 3 windows" },
};

static struct part_case part = {
  .name = "index header",
  .length = INDEX_HEADER_BYTES,
  .checked = INDEX_HEADER_BYTES - 8,
  .encode = encode_sample,
  .decode = decode_sample,
  .mutations = mutations,
  .mutation_count = sizeof mutations / sizeof mutations[0],
  .wrong_checksum = 1,
};

/* Two entries of the sample image, windows 0 and 2, without a gap. */
static void
sample_entries (struct index_entry entries[2], uint64_t *index_offset)
{
  entries[1] = sample_index_entry ();
  entries[0] = entries[1];
  entries[0].window = 0;
  entries[0].page_count = 16;
  entries[0].record_bytes = SAMPLE_RECORD_FIXED + 1;
  entries[1].offset = entries[0].offset + entries[0].record_bytes;
  *index_offset = entries[1].offset + entries[1].record_bytes;
}

static void
test_entries_accepted (void **state)
{
  struct file_header image = sample_file_header ();
  struct index_entry entries[2];
  struct error err = { 0 };
  uint64_t end;

  (void) state;
  sample_entries (entries, &end);
  assert_int_equal (index_entry_check (&entries[0], NULL, &image, end, &err),
                    0);
  assert_int_equal (index_entry_check (&entries[1], &entries[0], &image, end,
                                       &err), 0);
  assert_int_equal (err.kind, ERROR_NONE);
}

/* Changes to the second entry; offsets as in its encoding. */
static const struct mutation entry_mutations[] = {
  { 0, 8, 3,
    "index: window 3 is past the end of the source, which has 3" },
  { 0, 8, UINT64_MAX, "index: window 18446744073709551615 is past the end "
    "of the source, which has 3" },
  { 0, 8, 0, "index: window 0 follows window 0" },
  { 20, 4, 0, "index: window 2 has 0 pages, expected 1 to 4" },
  { 20, 4, 5, "index: window 2 has 5 pages, expected 1 to 4" },
  { 16, 4, 82,
    "index: record of window 2 has 82 bytes, expected 83 to 8274" },
  { 16, 4, 8275,
    "index: record of window 2 has 8275 bytes, expected 83 to 8274" },
  { 16, 4, 0xffffffff,
    "index: record of window 2 has 4294967295 bytes, expected 83 to 8274" },
  { 8, 8, 8276,
    "index: record of window 2 is at offset 8276, expected 8275" },
  { 8, 8, 8274,
    "index: record of window 2 is at offset 8274, expected 8275" },
};

static void
test_entry_mutations_refused (void **state)
{
  struct file_header image = sample_file_header ();
  struct index_entry entries[2], changed;
  uint8_t bytes[INDEX_ENTRY_BYTES];
  uint64_t end;
  size_t i;

  (void) state;
  sample_entries (entries, &end);
  for (i = 0; i < sizeof entry_mutations / sizeof entry_mutations[0]; i++) {
    const struct mutation *mutation = &entry_mutations[i];
    struct error err = { 0 };

    index_entry_encode (&entries[1], bytes);
    put_field (bytes + mutation->offset, mutation->width, mutation->value);
    index_entry_decode (bytes, &changed);
    assert_refused (index_entry_check (&changed, &entries[0], &image, end,
                                       &err), &err, mutation->message);
  }
}

static void
test_entry_places_refused (void **state)
{
  struct file_header image = sample_file_header ();
  struct index_entry entries[2];
  struct error order = { 0 }, first = { 0 }, past = { 0 };
  uint64_t end;

  (void) state;
  sample_entries (entries, &end);
  assert_refused (index_entry_check (&entries[0], &entries[1], &image, end,
                                     &order), &order,
                  "index: window 0 follows window 2");
  assert_refused (index_entry_check (&entries[1], NULL, &image, end, &first),
                  &first, "index: record of window 2 is at offset 8275, "
                  "expected 8192");
  assert_refused (index_entry_check (&entries[1], &entries[0], &image,
                                     end - 1, &past), &past,
                  "index: record of window 2 reaches past the index at "
                  "offset 16548");
}

static void
test_entry_of (void **state)
{
  struct record_header record = sample_record_header ();
  struct index_entry entry;

  (void) state;
  record.header_checksum = 77;
  entry = index_entry_of (&record, 12345);
  assert_int_equal (entry.window, record.window);
  assert_int_equal (entry.offset, 12345);
  assert_int_equal (entry.record_bytes, record_bytes (&record));
  assert_int_equal (entry.page_count, 2);
  assert_int_equal (entry.header_checksum, 77);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_layout),
    cmocka_unit_test (test_entry_layout),
    cmocka_unit_test (test_example),
    cmocka_unit_test (test_round_trip),
    cmocka_unit_test (test_entry_round_trip),
    PART_TESTS (&part),
    cmocka_unit_test (test_entries_accepted),
    cmocka_unit_test (test_entry_mutations_refused),
    cmocka_unit_test (test_entry_places_refused),
    cmocka_unit_test (test_entry_of),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
