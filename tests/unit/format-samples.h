/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Valid parts of one small image, and the asserts of the format tests.  A
 * cmocka test includes cmocka.h before this file.
 */

#ifndef IOPRESS_TESTS_FORMAT_SAMPLES_H
#define IOPRESS_TESTS_FORMAT_SAMPLES_H

#include <stdio.h>
#include <stdlib.h>

#include "format/footer.h"
#include "util/checksum.h"

/* The sample image: a source of two windows and a bit, with a prefix. */
#define SAMPLE_PREFIX 5000u
#define SAMPLE_CHUNK CHUNK_BYTES_MIN
#define SAMPLE_SOURCE (2 * 65536u + 3 * 4096 + 100)
#define SAMPLE_WINDOWS 3u
#define SAMPLE_LAST_PAGES 4u
#define SAMPLE_RECORDS_START 8192u
#define SAMPLE_RECORD_FIXED 82u      /* header and page map */
#define SAMPLE_PAYLOAD 8192u

/* One field of a valid encoding changed, and what the decoder says then. */
struct mutation {
  size_t offset;
  unsigned int width;          /* bytes: 1, 2, 4 or 8 */
  uint64_t value;
  const char *message;
};

static inline void
sample_image_id (uint8_t id[IMAGE_ID_BYTES])
{
  uint8_t i;

  for (i = 0; i < IMAGE_ID_BYTES; i++)
    id[i] = (uint8_t) (0xa0 + i);
}

static inline struct file_header
sample_file_header (void)
{
  struct file_header header = {
    .major = FORMAT_MAJOR,
    .minor = FORMAT_MINOR,
    .prefix_bytes = SAMPLE_PREFIX,
    .source_bytes = SAMPLE_SOURCE,
    .chunk_bytes = SAMPLE_CHUNK,
    .kind = IMAGE_MAPPED_RAM,
    .compatible = FEATURE_EXACT,
    .codec = "zstd",
    .level = -3,
    .parameters = "long=27",
  };

  sample_image_id (header.image_id);
  return header;
}

/* A stored record of two pages, the first and the last, of the last window. */
static inline struct record_header
sample_record_header (void)
{
  struct record_header record = {
    .flags = RECORD_STORED,
    .window = SAMPLE_WINDOWS - 1,
    .source_bytes = SAMPLE_SOURCE,
    .prefix_bytes = SAMPLE_PREFIX,
    .chunk_bytes = SAMPLE_CHUNK,
    .raw_bytes = SAMPLE_PAYLOAD,
    .payload_bytes = SAMPLE_PAYLOAD,
    .raw_checksum = UINT64_C (0x1122334455667788),
    .stored_checksum = UINT64_C (0x99aabbccddeeff00),
  };

  sample_image_id (record.image_id);
  return record;
}

#define SAMPLE_BODY_BYTES (2 + SAMPLE_PAYLOAD)

/* Page map and payload, with the checksums of RECORD set to match. */
static inline void
sample_body (struct record_header *record, uint8_t body[SAMPLE_BODY_BYTES])
{
  memset (body, 0x5a, SAMPLE_BODY_BYTES);
  body[0] = 0x09;
  body[1] = 0;
  record->raw_checksum = checksum (body + 2, SAMPLE_PAYLOAD);
  record->stored_checksum = checksum (body, SAMPLE_BODY_BYTES);
}

/* The index entry of the sample record as the only one of the image. */
static inline struct index_entry
sample_index_entry (void)
{
  struct record_header record = sample_record_header ();

  record.header_checksum = UINT64_C (0x0123456789abcdef);
  return index_entry_of (&record, SAMPLE_RECORDS_START);
}

#define SAMPLE_INDEX_OFFSET                                                  \
  (SAMPLE_RECORDS_START + SAMPLE_RECORD_FIXED + SAMPLE_PAYLOAD)
#define SAMPLE_INDEX_BYTES (INDEX_HEADER_BYTES + INDEX_ENTRY_BYTES)
#define SAMPLE_FOOTER_OFFSET (SAMPLE_INDEX_OFFSET + SAMPLE_INDEX_BYTES)

static inline struct index_header
sample_index_header (void)
{
  struct index_header header = {
    .entry_count = 1,
    .entries_checksum = UINT64_C (0xfedcba9876543210),
  };

  sample_image_id (header.image_id);
  return header;
}

static inline struct footer
sample_footer (void)
{
  struct footer footer = {
    .index_offset = SAMPLE_INDEX_OFFSET,
    .index_bytes = SAMPLE_INDEX_BYTES,
    .record_count = 1,
    .page_count = 2,
    .payload_bytes = SAMPLE_PAYLOAD,
    .digest = UINT64_C (0x8877665544332211),
  };

  sample_image_id (footer.image_id);
  return footer;
}

/* Store VALUE, WIDTH bytes of it, at BYTES. */
static inline void
put_field (uint8_t *bytes, unsigned int width, uint64_t value)
{
  uint8_t all[8];

  put_le64 (all, value);
  memcpy (bytes, all, width);
}

/* Make the checksum after the LENGTH bytes right again. */
static inline void
reseal (uint8_t *bytes, size_t length)
{
  put_le64 (bytes + length, checksum (bytes, length));
}

#ifdef CMOCKA_H_

/* The decoder returned RESULT: it refused, and said MESSAGE. */
static inline void
assert_refused (int result, const struct error *err, const char *message)
{
  assert_int_equal (result, -1);
  assert_int_equal (err->kind, ERROR_BAD_INPUT);
  assert_int_equal (err->errnum, 0);
  assert_string_equal (err->what, message);
}

/* The message about a checksum that is FOUND where EXPECTED should be. */
static inline void
assert_refused_checksum (int result, const struct error *err,
                         const char *part, uint64_t found, uint64_t expected)
{
  char message[128];

  snprintf (message, sizeof message,
            "%s is 0x%016llx, expected 0x%016llx", part,
            (unsigned long long) found, (unsigned long long) expected);
  assert_refused (result, err, message);
}

/* BYTES are what TEXT says in hex digits (spaces are skipped). */
static inline void
assert_hex (const uint8_t *bytes, size_t length, const char *text)
{
  size_t i;

  for (i = 0; i < length; i++) {
    unsigned int value;
    int used;

    assert_int_equal (sscanf (text, " %2x%n", &value, &used), 1);
    assert_int_equal (bytes[i], value);
    text += used;
  }
  assert_string_equal (text, "");
}

/* A part of an image, and what to try on its decoder. */
struct part_case {
  const char *name;            /* as messages begin */
  size_t length;
  size_t checked;              /* bytes that the checksum after them covers */
  void (*encode) (uint8_t *bytes);     /* makes a valid one */
  int (*decode) (const uint8_t *bytes, struct error *err);
  const struct mutation *mutations;
  size_t mutation_count;
  uint64_t wrong_checksum;
};

/* The tests below.  cmocka takes no const, so a part is none. */
#define PART_TESTS(part)                                                     \
  cmocka_unit_test_prestate (test_mutations_refused, (part)),                \
  cmocka_unit_test_prestate (test_checksum_refused, (part)),                 \
  cmocka_unit_test_prestate (test_flips_refused, (part))

/* Memory of its exact length, so that a sanitizer or valgrind sees a decoder
 * that reads on.  To be freed.
 */
static inline uint8_t *
encoded_part (const struct part_case *part)
{
  uint8_t *bytes = malloc (part->length);

  assert_non_null (bytes);
  part->encode (bytes);
  return bytes;
}

/* Each mutation alone, with a checksum that is right. */
static inline void
test_mutations_refused (void **state)
{
  const struct part_case *part = *state;
  size_t i;

  assert_true (part->mutation_count > 0);
  for (i = 0; i < part->mutation_count; i++) {
    const struct mutation *mutation = &part->mutations[i];
    uint8_t *bytes = encoded_part (part);
    struct error err = { 0 };

    put_field (bytes + mutation->offset, mutation->width, mutation->value);
    reseal (bytes, part->checked);
    assert_refused (part->decode (bytes, &err), &err, mutation->message);
    free (bytes);
  }
}

static inline void
test_checksum_refused (void **state)
{
  const struct part_case *part = *state;
  uint8_t *bytes = encoded_part (part);
  struct error err = { 0 };
  char name[64];
  int result;

  put_le64 (bytes + part->checked, part->wrong_checksum);
  result = part->decode (bytes, &err);
  snprintf (name, sizeof name, "%s: checksum", part->name);
  assert_refused_checksum (result, &err, name, part->wrong_checksum,
                           checksum (bytes, part->checked));
  free (bytes);
}

/* Change every byte to every other value: each must be refused. */
static inline void
test_flips_refused (void **state)
{
  const struct part_case *part = *state;
  uint8_t *bytes = encoded_part (part);
  size_t i;
  unsigned int flip;

  for (i = 0; i < part->length; i++)
    for (flip = 1; flip < 256; flip++) {
      struct error err = { 0 };

      bytes[i] = (uint8_t) (bytes[i] ^ flip);
      assert_int_equal (part->decode (bytes, &err), -1);
      assert_int_equal (err.kind, ERROR_BAD_INPUT);
      assert_true (err.what[0] != '\0');
      bytes[i] = (uint8_t) (bytes[i] ^ flip);
    }
  free (bytes);
}

#endif /* CMOCKA_H_ */

#endif /* IOPRESS_TESTS_FORMAT_SAMPLES_H */
