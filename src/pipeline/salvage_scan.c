/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking for records in a file of which nothing is taken for granted. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "pipeline/record_source.h"
#include "pipeline/salvage_scan.h"

/* Rubble is searched in parts of this size. */
#define PART_BYTES (1u << 20)

struct scanner {
  const struct file *file;
  struct salvage_scan *scan;
  uint8_t *buffer;             /* for the largest record */
};

/* Make room for one more of SIZE bytes; the room doubles at powers of two. */
static int
grow (void **array, size_t count, size_t size, struct error *err)
{
  void *larger;

  if (count != 0 && !is_power_of_two (count))
    return 0;
  larger = reallocarray (*array, count == 0 ? 1 : 2 * count, size);
  if (larger == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot list the records");
  *array = larger;
  return 0;
}

static int
add_record (struct salvage_scan *scan, const struct record_header *header,
            uint64_t offset, struct error *err)
{
  void *records = scan->records;

  if (grow (&records, scan->record_count, sizeof *scan->records, err) < 0)
    return -1;
  scan->records = records;
  scan->records[scan->record_count++] = (struct found_record) {
    .header = *header,
    .offset = offset,
  };
  return 0;
}

static int
add_index (struct salvage_scan *scan, uint64_t offset, struct error *err)
{
  void *offsets = scan->index_offsets;

  if (grow (&offsets, scan->index_count, sizeof *scan->index_offsets,
            err) < 0)
    return -1;
  scan->index_offsets = offsets;
  scan->index_offsets[scan->index_count++] = offset;
  return 0;
}

static bool
readable (const struct scanner *scanner, uint64_t offset, size_t length)
{
  struct error unreadable = { 0 };

  return file_read_at (scanner->file, offset, scanner->buffer, length,
                       &unreadable) == 0;
}

/* Whether a whole, right record stands at OFFSET. */
static bool
record_at (const struct scanner *scanner, uint64_t offset,
           struct record_header *record)
{
  struct error invalid = { 0 };
  uint64_t rest = scanner->file->size - offset;

  return rest >= RECORD_HEADER_BYTES &&
    readable (scanner, offset, RECORD_HEADER_BYTES) &&
    record_header_decode (scanner->buffer, record, &invalid) == 0 &&
    rest >= record_bytes (record) &&
    readable (scanner, offset + RECORD_HEADER_BYTES,
              record_body_bytes (record)) &&
    record_body_check (record, scanner->buffer, &invalid) == 0;
}

/* The number of bytes at OFFSET that can be read into the buffer: a part, or a
 * page when there is damage in it, or 0.
 */
static size_t
read_rubble (const struct scanner *scanner, uint64_t offset)
{
  uint64_t rest = scanner->file->size - offset;
  size_t part = (size_t) minimum_u64 (PART_BYTES, rest);
  size_t page = (size_t) minimum_u64 (PAGE_BYTES - offset % PAGE_BYTES, rest);

  if (readable (scanner, offset, part))
    return part;
  return readable (scanner, offset, page) ? page : 0;
}

/* No record stands at OFFSET: the next place where one may begin, or the end
 * of the file.  Notes indexes on the way.
 */
static int
next_candidate (struct scanner *scanner, uint64_t offset, uint64_t *next,
                struct error *err)
{
  uint64_t size = scanner->file->size;
  uint64_t failed = offset;

  while (offset < size) {
    size_t i, length = read_rubble (scanner, offset);
    const uint8_t *bytes = scanner->buffer;

    for (i = 0; i + RECORD_MAGIC_BYTES <= length; i++) {
      if (offset + i > failed &&
          memcmp (bytes + i, RECORD_MAGIC, RECORD_MAGIC_BYTES) == 0) {
        *next = offset + i;
        return 0;
      }
      if (memcmp (bytes + i, INDEX_MAGIC, INDEX_MAGIC_BYTES) == 0 &&
          add_index (scanner->scan, offset + i, err) < 0)
        return -1;
    }
    /* A magic may straddle two parts. */
    if (length == 0)
      offset = align_down (offset, PAGE_BYTES) + PAGE_BYTES;
    else
      offset += length >= RECORD_MAGIC_BYTES && offset + length < size
        ? length - (RECORD_MAGIC_BYTES - 1) : length;
  }
  *next = size;
  return 0;
}

int
scan_for_records (const struct file *file, uint64_t start,
                  struct salvage_scan *scan, struct error *err)
{
  struct scanner scanner = {
    .file = file,
    .scan = scan,
    .buffer = malloc (record_source_room (CHUNK_BYTES_MAX)),
  };
  uint64_t offset = start;
  int result = 0;

  *scan = (struct salvage_scan) { .record_count = 0 };
  if (scanner.buffer == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot search the image");
  while (result == 0 && offset < file->size) {
    struct record_header record;

    if (file_check_cancelled (file, err) < 0)
      result = -1;
    else if (record_at (&scanner, offset, &record)) {
      result = add_record (scan, &record, offset, err);
      offset += record_bytes (&record);
    }
    else
      result = next_candidate (&scanner, offset, &offset, err);
  }
  free (scanner.buffer);
  return result;
}

void
scan_free (struct salvage_scan *scan)
{
  free (scan->records);
  free (scan->index_offsets);
}
