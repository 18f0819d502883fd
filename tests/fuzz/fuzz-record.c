/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzz target: a record.  The input is header, page map and payload. */

#include <config.h>

#include <string.h>

#include "../unit/format-samples.h"
#include "fuzz.h"

const unsigned int fuzz_message_count = 14;
const unsigned long fuzz_mutation_count = 30000;

size_t
fuzz_seed (unsigned int number, uint8_t *bytes)
{
  struct record_header record = sample_record_header ();

  if (number > 2)
    return 0;
  sample_body (&record, bytes + RECORD_HEADER_BYTES);
  if (number == 1)
    record.window = 0;
  if (number == 2) {
    record.flags = 0;
    record.payload_bytes = 100;
    record.stored_checksum = checksum (bytes + RECORD_HEADER_BYTES, 102);
  }
  record_header_encode (&record, bytes);
  return (size_t) record_bytes (&record);
}

/* A record's own index entry is valid in an image of that one record. */
static void
check_entry (const struct record_header *record)
{
  struct file_header image = {
    .prefix_bytes = record->prefix_bytes,
    .source_bytes = record->source_bytes,
    .chunk_bytes = record->chunk_bytes,
  };
  uint64_t start = records_start (&image);
  struct index_entry entry = index_entry_of (record, start);
  struct error err = { 0 };

  memcpy (image.image_id, record->image_id, IMAGE_ID_BYTES);
  FUZZ_ASSERT (record_belongs (record, &image));
  FUZZ_ASSERT (index_entry_check (&entry, NULL, &image,
                                  start + record_bytes (record), &err) == 0);
}

static void
check_header (const uint8_t *bytes, struct record_header record)
{
  uint8_t again[RECORD_HEADER_BYTES];

  FUZZ_ASSERT (record_bytes (&record) <=
               RECORD_HEADER_BYTES + 512 + CHUNK_BYTES_MAX);
  FUZZ_ASSERT (record.window * record.chunk_bytes < record.source_bytes);
  check_entry (&record);
  record_header_encode (&record, again);
  FUZZ_ASSERT (memcmp (again, bytes, RECORD_HEADER_BYTES) == 0);
}

static void
check_map (const struct record_header *record, const uint8_t *map)
{
  uint64_t pages = window_pages (record->window, record->source_bytes,
                                 record->chunk_bytes);

  FUZZ_ASSERT (bitmap_count (map, 0, pages) ==
               record->raw_bytes / PAGE_BYTES);
  FUZZ_ASSERT (bitmap_count (map, 0, record->chunk_bytes / PAGE_BYTES) ==
               record->raw_bytes / PAGE_BYTES);
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t length)
{
  const uint8_t *body = bytes + RECORD_HEADER_BYTES;
  struct record_header record;
  struct error err = { 0 };

  if (length < RECORD_HEADER_BYTES ||
      !fuzz_outcome (record_header_decode (bytes, &record, &err), &err))
    return 0;
  check_header (bytes, record);
  if (record_bytes (&record) <= length &&
      fuzz_outcome (record_body_check (&record, body, &err), &err))
    check_map (&record, body);
  return 0;
}
