/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The footer, the last bytes of a finished image. */

#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "format/footer.h"
#include "format/part.h"
#include "util/checksum.h"

#define PART "footer"

/* Offsets of the fields. */
enum {
  FOOTER_LENGTH = 4,
  IMAGE_ID = 8,
  INDEX_OFFSET = 24,
  INDEX_BYTES = 32,
  RECORDS = 40,
  PAGES = 48,
  PAYLOAD = 56,
  DIGEST = 64,
  END = 72,
  CHECKSUM = 80,
  END_MAGIC = 88,
};

void
footer_encode (const struct footer *footer, uint64_t offset,
               uint8_t bytes[FOOTER_BYTES])
{
  memcpy (bytes, FOOTER_MAGIC, strlen (FOOTER_MAGIC));
  put_le32 (bytes + FOOTER_LENGTH, FOOTER_BYTES);
  memcpy (bytes + IMAGE_ID, footer->image_id, IMAGE_ID_BYTES);
  put_le64 (bytes + INDEX_OFFSET, footer->index_offset);
  put_le64 (bytes + INDEX_BYTES, footer->index_bytes);
  put_le64 (bytes + RECORDS, footer->record_count);
  put_le64 (bytes + PAGES, footer->page_count);
  put_le64 (bytes + PAYLOAD, footer->payload_bytes);
  put_le64 (bytes + DIGEST, footer->digest);
  put_le64 (bytes + END, offset + FOOTER_BYTES);
  part_seal (bytes, CHECKSUM);
  memcpy (bytes + END_MAGIC, FOOTER_END_MAGIC, strlen (FOOTER_END_MAGIC));
}

static void
read_fields (const uint8_t *bytes, struct footer *footer)
{
  memcpy (footer->image_id, bytes + IMAGE_ID, IMAGE_ID_BYTES);
  footer->index_offset = get_le64 (bytes + INDEX_OFFSET);
  footer->index_bytes = get_le64 (bytes + INDEX_BYTES);
  footer->record_count = get_le64 (bytes + RECORDS);
  footer->page_count = get_le64 (bytes + PAGES);
  footer->payload_bytes = get_le64 (bytes + PAYLOAD);
  footer->digest = get_le64 (bytes + DIGEST);
}

static int
check_place (const uint8_t *bytes, uint64_t offset, struct error *err)
{
  uint32_t length = get_le32 (bytes + FOOTER_LENGTH);
  uint64_t end = get_le64 (bytes + END);

  if (length != FOOTER_BYTES)
    return part_refuse (err, PART ": length is %" PRIu32 ", expected %d",
                        length, FOOTER_BYTES);
  if (end != offset + FOOTER_BYTES)
    return part_refuse (err, PART ": image ends at offset %" PRIu64
                        ", expected %" PRIu64, offset + FOOTER_BYTES, end);
  return 0;
}

/* These bounds keep every later sum below 2^64: a source has at most 2^51
 * pages, a record at least one, and its header and page map less than 1 KiB.
 */
static int
check_totals (const struct footer *footer, const struct file_header *image,
              struct error *err)
{
  uint64_t windows = window_count (image->source_bytes, image->chunk_bytes);
  uint64_t most;

  if (footer->record_count > windows)
    return part_refuse (err, PART ": %" PRIu64 " records, but the source has "
                        "only %" PRIu64 " windows", footer->record_count,
                        windows);
  most = minimum_u64 (footer->record_count *
                      (image->chunk_bytes / PAGE_BYTES),
                      divide_up (image->source_bytes, PAGE_BYTES));
  if (footer->page_count < footer->record_count || footer->page_count > most)
    return part_refuse (err, PART ": %" PRIu64 " pages, expected %" PRIu64
                        " to %" PRIu64, footer->page_count,
                        footer->record_count, most);
  most = footer->page_count * PAGE_BYTES;
  if (footer->payload_bytes < footer->record_count ||
      footer->payload_bytes > most)
    return part_refuse (err, PART ": %" PRIu64 " payload bytes, expected %"
                        PRIu64 " to %" PRIu64, footer->payload_bytes,
                        footer->record_count, most);
  return 0;
}

/* Records, index and footer follow each other without a gap. */
static int
check_index (const struct footer *footer, const struct file_header *image,
             uint64_t offset, struct error *err)
{
  uint64_t fixed = RECORD_HEADER_BYTES + page_map_bytes (image->chunk_bytes);
  uint64_t start = records_start (image) + footer->record_count * fixed +
    footer->payload_bytes;
  uint64_t length = INDEX_HEADER_BYTES +
    footer->record_count * INDEX_ENTRY_BYTES;

  if (footer->index_bytes != length)
    return part_refuse (err, PART ": index has %" PRIu64
                        " bytes, expected %" PRIu64, footer->index_bytes,
                        length);
  /* Nothing that is added to it then overflows. */
  if (is_unordered (image) && footer->index_offset > start &&
      footer->index_offset <= INT64_MAX)
    start = footer->index_offset;
  if (footer->index_offset != start)
    return part_refuse (err, PART ": index is at offset %" PRIu64
                        ", expected %" PRIu64, footer->index_offset, start);
  if (offset != start + length)
    return part_refuse (err, PART " is at offset %" PRIu64
                        ", but its index ends at %" PRIu64, offset,
                        start + length);
  return 0;
}

int
footer_decode (const uint8_t bytes[FOOTER_BYTES], uint64_t offset,
               const struct file_header *image, struct footer *footer,
               struct error *err)
{
  if (memcmp (bytes + END_MAGIC, FOOTER_END_MAGIC,
              strlen (FOOTER_END_MAGIC)) != 0)
    return part_refuse (err, PART ": end magic is missing, the image is "
                        "incomplete");
  if (part_check (PART, FOOTER_MAGIC, bytes, CHECKSUM, err) < 0 ||
      part_check_image (PART, bytes + IMAGE_ID, image->image_id, err) < 0 ||
      check_place (bytes, offset, err) < 0)
    return -1;
  read_fields (bytes, footer);
  if (check_totals (footer, image, err) < 0 ||
      check_index (footer, image, offset, err) < 0)
    return -1;
  return 0;
}

uint64_t
digest_next (uint64_t digest, uint64_t header_checksum)
{
  uint8_t bytes[16];

  put_le64 (bytes, digest);
  put_le64 (bytes + 8, header_checksum);
  return checksum (bytes, sizeof bytes);
}

void
footer_count (struct footer *footer, const struct index_entry *entry,
              uint32_t chunk_bytes)
{
  footer->record_count++;
  footer->page_count += entry->page_count;
  footer->payload_bytes += entry->record_bytes -
    record_overhead_bytes (chunk_bytes);
  footer->digest = digest_next (footer->digest, entry->header_checksum);
}

bool
footer_same_totals (const struct footer *a, const struct footer *b)
{
  return a->record_count == b->record_count &&
    a->page_count == b->page_count && a->payload_bytes == b->payload_bytes &&
    a->digest == b->digest;
}
