/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzz target: the index.  The input is the index's file offset (le64), the
 * index header and its entries.
 */

#include <config.h>

#include <string.h>

#include "../unit/format-samples.h"
#include "fuzz.h"

const unsigned int fuzz_message_count = 11;
const unsigned long fuzz_mutation_count = 30000;

#define PLACE_BYTES 8u
#define FIXED_BYTES (PLACE_BYTES + INDEX_HEADER_BYTES)

/* The sample image with more windows. */
static struct file_header
image_header (void)
{
  struct file_header image = sample_file_header ();

  image.source_bytes = 200 * SAMPLE_CHUNK + 100;
  return image;
}

/* COUNT records, of every second window. */
static size_t
encode_index (uint64_t count, uint8_t *bytes)
{
  struct index_header header = sample_index_header ();
  struct index_entry entry = { .offset = SAMPLE_RECORDS_START };
  uint8_t *entries = bytes + FIXED_BYTES;
  uint64_t i;

  for (i = 0; i < count; i++) {
    entry.window = 2 * i;
    entry.page_count = entry.window == 200 ? 1 : (uint32_t) (1 + i % 16);
    entry.record_bytes = SAMPLE_RECORD_FIXED + 7 * entry.page_count;
    index_entry_encode (&entry, entries + i * INDEX_ENTRY_BYTES);
    entry.offset += entry.record_bytes;
  }
  header.entry_count = count;
  header.entries_checksum = checksum (entries, count * INDEX_ENTRY_BYTES);
  put_le64 (bytes, entry.offset);
  index_header_encode (&header, bytes + PLACE_BYTES);
  return FIXED_BYTES + count * INDEX_ENTRY_BYTES;
}

size_t
fuzz_seed (unsigned int number, uint8_t *bytes)
{
  static const uint64_t counts[] = { 0, 1, 2, 5, 101 };

  if (number >= sizeof counts / sizeof counts[0])
    return 0;
  return encode_index (counts[number], bytes);
}

/* Walk COUNT entries as a reader does, until one is refused. */
static void
check_entries (const uint8_t *bytes, uint64_t count, uint64_t index_offset)
{
  struct file_header image = image_header ();
  struct index_entry entry, previous;
  uint64_t i, end = records_start (&image);

  for (i = 0; i < count; i++) {
    uint8_t again[INDEX_ENTRY_BYTES];
    struct error err = { 0 };

    index_entry_decode (bytes, &entry);
    index_entry_encode (&entry, again);
    FUZZ_ASSERT (memcmp (again, bytes, INDEX_ENTRY_BYTES) == 0);
    if (!fuzz_outcome (index_entry_check (&entry, i == 0 ? NULL : &previous,
                                          &image, index_offset, &err), &err))
      return;
    FUZZ_ASSERT (entry.offset == end);
    FUZZ_ASSERT (i == 0 || entry.window > previous.window);
    FUZZ_ASSERT (entry.window * image.chunk_bytes < image.source_bytes);
    end += entry.record_bytes;
    FUZZ_ASSERT (end <= index_offset);
    previous = entry;
    bytes += INDEX_ENTRY_BYTES;
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t length)
{
  struct file_header image = image_header ();
  struct index_header header;
  struct error err = { 0 };
  uint64_t room;

  if (length < FIXED_BYTES ||
      !fuzz_outcome (index_header_decode (bytes + PLACE_BYTES, &image,
                                          &header, &err), &err))
    return 0;
  room = (length - FIXED_BYTES) / INDEX_ENTRY_BYTES;
  FUZZ_ASSERT (header.entry_count <= 201);
  check_entries (bytes + FIXED_BYTES, minimum_u64 (header.entry_count, room),
                 get_le64 (bytes));
  return 0;
}
