/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records: header, page map, payload. */

#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "format/part.h"
#include "format/record.h"
#include "util/checksum.h"

#define PART "record header"

/* Offsets of the fields. */
enum {
  FLAGS = 4,
  IMAGE_ID = 8,
  WINDOW = 24,
  SOURCE = 32,
  PREFIX = 40,
  CHUNK = 44,
  RAW = 48,
  PAYLOAD = 52,
  RAW_CHECKSUM = 56,
  STORED_CHECKSUM = 64,
  CHECKSUM = 72,
};

void
record_header_encode (struct record_header *record,
                      uint8_t bytes[RECORD_HEADER_BYTES])
{
  memcpy (bytes, RECORD_MAGIC, RECORD_MAGIC_BYTES);
  put_le32 (bytes + FLAGS, record->flags);
  memcpy (bytes + IMAGE_ID, record->image_id, IMAGE_ID_BYTES);
  put_le64 (bytes + WINDOW, record->window);
  put_le64 (bytes + SOURCE, record->source_bytes);
  put_le32 (bytes + PREFIX, record->prefix_bytes);
  put_le32 (bytes + CHUNK, record->chunk_bytes);
  put_le32 (bytes + RAW, record->raw_bytes);
  put_le32 (bytes + PAYLOAD, record->payload_bytes);
  put_le64 (bytes + RAW_CHECKSUM, record->raw_checksum);
  put_le64 (bytes + STORED_CHECKSUM, record->stored_checksum);
  record->header_checksum = part_seal (bytes, CHECKSUM);
}

static void
read_fields (const uint8_t *bytes, struct record_header *record)
{
  record->flags = get_le32 (bytes + FLAGS);
  memcpy (record->image_id, bytes + IMAGE_ID, IMAGE_ID_BYTES);
  record->window = get_le64 (bytes + WINDOW);
  record->source_bytes = get_le64 (bytes + SOURCE);
  record->prefix_bytes = get_le32 (bytes + PREFIX);
  record->chunk_bytes = get_le32 (bytes + CHUNK);
  record->raw_bytes = get_le32 (bytes + RAW);
  record->payload_bytes = get_le32 (bytes + PAYLOAD);
  record->raw_checksum = get_le64 (bytes + RAW_CHECKSUM);
  record->stored_checksum = get_le64 (bytes + STORED_CHECKSUM);
  record->header_checksum = get_le64 (bytes + CHECKSUM);
}

static int
check_image (const struct record_header *record, struct error *err)
{
  if (!chunk_bytes_valid (record->chunk_bytes))
    return part_refuse (err, PART ": chunk size %" PRIu32
                        " is not a power of two from %u to %u",
                        record->chunk_bytes, CHUNK_BYTES_MIN,
                        CHUNK_BYTES_MAX);
  if (record->source_bytes > INT64_MAX)
    return part_refuse (err, PART ": source size %" PRIu64 " is too large",
                        record->source_bytes);
  if (record->prefix_bytes > PREFIX_BYTES_MAX)
    return part_refuse (err, PART ": prefix length %" PRIu32
                        " is above %u", record->prefix_bytes,
                        PREFIX_BYTES_MAX);
  if (record->prefix_bytes > record->source_bytes)
    return part_refuse (err, PART ": source size %" PRIu64
                        " is below the prefix length %" PRIu32,
                        record->source_bytes, record->prefix_bytes);
  return 0;
}

static int
check_window (const struct record_header *record, struct error *err)
{
  uint64_t windows =
    window_count (record->source_bytes, record->chunk_bytes);
  uint64_t most;

  if (record->window >= windows)
    return part_refuse (err, PART ": window %" PRIu64
                        " is past the end of the source, which has %" PRIu64,
                        record->window, windows);
  most = (uint64_t) PAGE_BYTES * window_pages (record->window,
                                               record->source_bytes,
                                               record->chunk_bytes);
  if (record->raw_bytes == 0 || record->raw_bytes % PAGE_BYTES != 0 ||
      record->raw_bytes > most)
    return part_refuse (err, PART ": raw length %" PRIu32
                        " is not a multiple of %u from %u to %" PRIu64,
                        record->raw_bytes, PAGE_BYTES, PAGE_BYTES, most);
  return 0;
}

static int
check_payload (const struct record_header *record, struct error *err)
{
  uint32_t unknown = record->flags & ~RECORD_STORED;

  if (unknown != 0)
    return part_refuse (err, PART ": unknown flags 0x%" PRIx32, unknown);
  if (record->payload_bytes == 0 ||
      record->payload_bytes > record->raw_bytes)
    return part_refuse (err, PART ": payload length %" PRIu32
                        " is not from 1 to the raw length %" PRIu32,
                        record->payload_bytes, record->raw_bytes);
  if ((record->flags & RECORD_STORED) != 0 &&
      record->payload_bytes != record->raw_bytes)
    return part_refuse (err, PART ": stored payload length %" PRIu32
                        " is not the raw length %" PRIu32,
                        record->payload_bytes, record->raw_bytes);
  return 0;
}

int
record_header_decode (const uint8_t bytes[RECORD_HEADER_BYTES],
                      struct record_header *record, struct error *err)
{
  if (part_check (PART, RECORD_MAGIC, bytes, CHECKSUM, err) < 0)
    return -1;
  read_fields (bytes, record);
  if (check_image (record, err) < 0 || check_window (record, err) < 0 ||
      check_payload (record, err) < 0)
    return -1;
  return 0;
}

bool
record_header_sealed (const uint8_t bytes[RECORD_HEADER_BYTES])
{
  return part_sealed (bytes, CHECKSUM);
}

bool
record_belongs (const struct record_header *record,
                const struct file_header *header)
{
  return memcmp (record->image_id, header->image_id, IMAGE_ID_BYTES) == 0 &&
    (record->source_bytes == header->source_bytes ||
     is_unordered (header)) &&
    record->prefix_bytes == header->prefix_bytes &&
    record->chunk_bytes == header->chunk_bytes;
}

static int
check_page_map (const struct record_header *record, const uint8_t *map,
                struct error *err)
{
  uint64_t bits = record->chunk_bytes / PAGE_BYTES;
  uint64_t pages = window_pages (record->window, record->source_bytes,
                                 record->chunk_bytes);
  uint64_t count = bitmap_count (map, 0, bits);
  uint64_t beyond = bitmap_next_set (map, pages, bits);

  if (count != record->raw_bytes / PAGE_BYTES)
    return part_refuse (err, "record of window %" PRIu64 ": page map has %"
                        PRIu64 " pages, expected %" PRIu32, record->window,
                        count, record->raw_bytes / PAGE_BYTES);
  if (beyond < bits)
    return part_refuse (err, "record of window %" PRIu64 ": page %" PRIu64
                        " is past the end of the source", record->window,
                        beyond);
  return 0;
}

int
record_body_check (const struct record_header *record, const uint8_t *body,
                   struct error *err)
{
  uint64_t sum = checksum (body, (size_t) record_body_bytes (record));

  if (sum != record->stored_checksum)
    return part_refuse (err, "record of window %" PRIu64 ": stored checksum "
                        "is 0x%016" PRIx64 ", expected 0x%016" PRIx64,
                        record->window, sum, record->stored_checksum);
  return check_page_map (record, body, err);
}
