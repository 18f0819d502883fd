/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzz target: the footer.  The input is its file offset (le64), the source
 * size (le64), and the footer.
 */

#include <config.h>

#include <string.h>

#include "../unit/format-samples.h"
#include "fuzz.h"

const unsigned int fuzz_message_count = 12;
const unsigned long fuzz_mutation_count = 30000;

#define PLACE_BYTES 16u

size_t
fuzz_seed (unsigned int number, uint8_t *bytes)
{
  static const uint64_t counts[] = { 1, 0, 3 };
  struct footer footer = sample_footer ();
  uint64_t offset;

  if (number >= sizeof counts / sizeof counts[0])
    return 0;
  footer.record_count = counts[number];
  footer.page_count = 2 * counts[number];
  footer.payload_bytes = 3000 * counts[number];
  footer.index_offset = SAMPLE_RECORDS_START + footer.payload_bytes +
    SAMPLE_RECORD_FIXED * counts[number];
  footer.index_bytes = INDEX_HEADER_BYTES +
    INDEX_ENTRY_BYTES * counts[number];
  offset = footer.index_offset + footer.index_bytes;
  put_le64 (bytes, offset);
  put_le64 (bytes + 8, SAMPLE_SOURCE);
  footer_encode (&footer, offset, bytes + PLACE_BYTES);
  return PLACE_BYTES + FOOTER_BYTES;
}

static void
check_accepted (const uint8_t *bytes, uint64_t offset,
                const struct file_header *image, const struct footer *footer)
{
  uint64_t windows = window_count (image->source_bytes, image->chunk_bytes);
  uint8_t again[FOOTER_BYTES];

  FUZZ_ASSERT (footer->index_offset >= records_start (image));
  FUZZ_ASSERT (footer->index_offset < offset);
  FUZZ_ASSERT (footer->index_bytes == offset - footer->index_offset);
  FUZZ_ASSERT (footer->record_count <= windows);
  FUZZ_ASSERT (footer->record_count <= offset / INDEX_ENTRY_BYTES);
  FUZZ_ASSERT (footer->payload_bytes <= offset);
  footer_encode (footer, offset, again);
  FUZZ_ASSERT (memcmp (again, bytes, FOOTER_BYTES) == 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t length)
{
  struct file_header image = sample_file_header ();
  struct footer footer;
  struct error err = { 0 };
  uint64_t offset;

  if (length < PLACE_BYTES + FOOTER_BYTES)
    return 0;
  /* File offsets and sizes that the callers have. */
  offset = get_le64 (bytes) & INT64_MAX;
  image.source_bytes = get_le64 (bytes + 8) & INT64_MAX;
  if (fuzz_outcome (footer_decode (bytes + PLACE_BYTES, offset, &image,
                                   &footer, &err), &err))
    check_accepted (bytes + PLACE_BYTES, offset, &image, &footer);
  return 0;
}
