/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The index record: where each window's record is. */

#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "format/index.h"
#include "format/part.h"

#define PART "index header"

/* Offsets of the header's fields. */
enum {
  ENTRY_LENGTH = 4,
  IMAGE_ID = INDEX_IMAGE_ID,
  COUNT = 24,
  ENTRIES_CHECKSUM = 32,
  CHECKSUM = 40,
};

/* Offsets of an entry's fields. */
enum {
  ENTRY_WINDOW = 0,
  ENTRY_OFFSET = 8,
  ENTRY_RECORD_BYTES = 16,
  ENTRY_PAGES = 20,
  ENTRY_CHECKSUM = 24,
};

void
index_header_encode (const struct index_header *header,
                     uint8_t bytes[INDEX_HEADER_BYTES])
{
  memcpy (bytes, INDEX_MAGIC, INDEX_MAGIC_BYTES);
  put_le32 (bytes + ENTRY_LENGTH, INDEX_ENTRY_BYTES);
  memcpy (bytes + IMAGE_ID, header->image_id, IMAGE_ID_BYTES);
  put_le64 (bytes + COUNT, header->entry_count);
  put_le64 (bytes + ENTRIES_CHECKSUM, header->entries_checksum);
  part_seal (bytes, CHECKSUM);
}

int
index_header_decode (const uint8_t bytes[INDEX_HEADER_BYTES],
                     const struct file_header *image,
                     struct index_header *header, struct error *err)
{
  uint64_t windows = window_count (image->source_bytes, image->chunk_bytes);
  uint32_t length = get_le32 (bytes + ENTRY_LENGTH);

  if (part_check (PART, INDEX_MAGIC, bytes, CHECKSUM, err) < 0 ||
      part_check_image (PART, bytes + IMAGE_ID, image->image_id, err) < 0)
    return -1;
  if (length != INDEX_ENTRY_BYTES)
    return part_refuse (err, PART ": entry length is %" PRIu32
                        ", expected %d", length, INDEX_ENTRY_BYTES);
  memcpy (header->image_id, bytes + IMAGE_ID, IMAGE_ID_BYTES);
  header->entry_count = get_le64 (bytes + COUNT);
  header->entries_checksum = get_le64 (bytes + ENTRIES_CHECKSUM);
  if (header->entry_count > windows)
    return part_refuse (err, PART ": %" PRIu64 " entries, but the source has "
                        "only %" PRIu64 " windows", header->entry_count,
                        windows);
  return 0;
}

bool
index_header_sealed (const uint8_t bytes[INDEX_HEADER_BYTES])
{
  return part_sealed (bytes, CHECKSUM);
}

void
index_entry_encode (const struct index_entry *entry,
                    uint8_t bytes[INDEX_ENTRY_BYTES])
{
  put_le64 (bytes + ENTRY_WINDOW, entry->window);
  put_le64 (bytes + ENTRY_OFFSET, entry->offset);
  put_le32 (bytes + ENTRY_RECORD_BYTES, entry->record_bytes);
  put_le32 (bytes + ENTRY_PAGES, entry->page_count);
  put_le64 (bytes + ENTRY_CHECKSUM, entry->header_checksum);
}

void
index_entry_decode (const uint8_t bytes[INDEX_ENTRY_BYTES],
                    struct index_entry *entry)
{
  entry->window = get_le64 (bytes + ENTRY_WINDOW);
  entry->offset = get_le64 (bytes + ENTRY_OFFSET);
  entry->record_bytes = get_le32 (bytes + ENTRY_RECORD_BYTES);
  entry->page_count = get_le32 (bytes + ENTRY_PAGES);
  entry->header_checksum = get_le64 (bytes + ENTRY_CHECKSUM);
}

static int
check_window (const struct index_entry *entry,
              const struct index_entry *previous,
              const struct file_header *image, struct error *err)
{
  uint64_t windows = window_count (image->source_bytes, image->chunk_bytes);

  if (entry->window >= windows)
    return part_refuse (err, "index: window %" PRIu64 " is past the end of "
                        "the source, which has %" PRIu64, entry->window,
                        windows);
  if (previous != NULL && entry->window <= previous->window)
    return part_refuse (err, "index: window %" PRIu64 " follows window %"
                        PRIu64, entry->window, previous->window);
  return 0;
}

static int
check_lengths (const struct index_entry *entry,
               const struct file_header *image, struct error *err)
{
  uint32_t pages = window_pages (entry->window, image->source_bytes,
                                 image->chunk_bytes);
  uint64_t fixed = record_overhead_bytes (image->chunk_bytes);
  uint64_t most = fixed + (uint64_t) entry->page_count * PAGE_BYTES;

  if (entry->page_count == 0 || entry->page_count > pages)
    return part_refuse (err, "index: window %" PRIu64 " has %" PRIu32
                        " pages, expected 1 to %" PRIu32, entry->window,
                        entry->page_count, pages);
  if (entry->record_bytes <= fixed || entry->record_bytes > most)
    return part_refuse (err, "index: record of window %" PRIu64 " has %"
                        PRIu32 " bytes, expected %" PRIu64 " to %" PRIu64,
                        entry->window, entry->record_bytes, fixed + 1, most);
  return 0;
}

static int
check_place (const struct index_entry *entry,
             const struct index_entry *previous,
             const struct file_header *image, uint64_t index_offset,
             struct error *err)
{
  uint64_t start = previous == NULL ? records_start (image) :
    previous->offset + previous->record_bytes;
  uint64_t end;

  if (is_unordered (image) && entry->offset < records_start (image))
    return part_refuse (err, "index: record of window %" PRIu64
                        " is at offset %" PRIu64 ", before the first at %"
                        PRIu64, entry->window, entry->offset,
                        records_start (image));
  if (!is_unordered (image) && entry->offset != start)
    return part_refuse (err, "index: record of window %" PRIu64
                        " is at offset %" PRIu64 ", expected %" PRIu64,
                        entry->window, entry->offset, start);
  if (!add_u64 (entry->offset, entry->record_bytes, &end) ||
      end > index_offset)
    return part_refuse (err, "index: record of window %" PRIu64
                        " reaches past the index at offset %" PRIu64,
                        entry->window, index_offset);
  return 0;
}

int
index_entry_check (const struct index_entry *entry,
                   const struct index_entry *previous,
                   const struct file_header *image, uint64_t index_offset,
                   struct error *err)
{
  if (check_window (entry, previous, image, err) < 0 ||
      check_lengths (entry, image, err) < 0 ||
      check_place (entry, previous, image, index_offset, err) < 0)
    return -1;
  return 0;
}

struct index_entry
index_entry_of (const struct record_header *record, uint64_t offset)
{
  return (struct index_entry) {
    .window = record->window,
    .offset = offset,
    .record_bytes = (uint32_t) record_bytes (record),
    .page_count = record->raw_bytes / PAGE_BYTES,
    .header_checksum = record->header_checksum,
  };
}
