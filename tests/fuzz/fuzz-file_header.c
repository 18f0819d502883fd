/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzz target: the file header.  The input is what a file begins with. */

#include <config.h>

#include <string.h>

#include "../unit/format-samples.h"
#include "fuzz.h"
#include "util/name.h"

const unsigned int fuzz_message_count = 14;
const unsigned long fuzz_mutation_count = 30000;

size_t
fuzz_seed (unsigned int number, uint8_t *bytes)
{
  struct file_header header = sample_file_header ();

  switch (number) {
  case 0:
    header.prefix_bytes = 0;
    break;
  case 1:
    break;
  case 2:
    header = (struct file_header) {
      .major = FORMAT_MAJOR, .minor = 1, .kind = IMAGE_RAW,
      .source_bytes = INT64_MAX, .chunk_bytes = CHUNK_BYTES_MAX,
      .codec = CODEC_STORED,
    };
    break;
  default:
    return 0;
  }
  memset (bytes, 0x11, (size_t) header.prefix_bytes);
  file_header_encode (&header, bytes + header.prefix_bytes);
  return (size_t) header.prefix_bytes + FILE_HEADER_BYTES;
}

static void
check_accepted (const uint8_t *bytes, uint64_t offset,
                const struct file_header *header)
{
  uint8_t again[FILE_HEADER_BYTES];
  uint64_t windows =
    window_count (header->source_bytes, header->chunk_bytes);

  FUZZ_ASSERT (header->prefix_bytes == offset);
  FUZZ_ASSERT (offset <= PREFIX_BYTES_MAX);
  FUZZ_ASSERT (chunk_bytes_valid (header->chunk_bytes));
  FUZZ_ASSERT (codec_name_valid (header->codec));
  FUZZ_ASSERT (memchr (header->parameters, 0, CODEC_PARAMETERS_BYTES));
  FUZZ_ASSERT (records_start (header) >= offset + FILE_HEADER_BYTES);
  FUZZ_ASSERT (windows == 0 ||
               window_pages (windows - 1, header->source_bytes,
                             header->chunk_bytes) > 0);
  file_header_encode (header, again);
  /* What a later minor version put into reserved bytes is not kept. */
  if (header->minor == 0)
    FUZZ_ASSERT (memcmp (again, bytes, FILE_HEADER_BYTES) == 0);
}

static void
decode (const uint8_t *bytes, uint64_t offset)
{
  struct file_header header;
  struct error err = { 0 };

  if (fuzz_outcome (file_header_decode (bytes, offset, &header, &err), &err))
    check_accepted (bytes, offset, &header);
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t length)
{
  int64_t place = file_header_find (bytes, length, 0);

  FUZZ_ASSERT (place >= -1);
  if (place >= 0) {
    FUZZ_ASSERT ((uint64_t) place + FILE_HEADER_BYTES <= length);
    FUZZ_ASSERT (get_le64 (bytes + place + 32) == (uint64_t) place);
    decode (bytes + place, (uint64_t) place);
  }
  else if (length >= FILE_HEADER_BYTES) {
    decode (bytes, 0);
    decode (bytes, get_le64 (bytes + 32));
  }
  return 0;
}
