/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking for records in a file of which nothing is taken for granted.
 *
 * Whoever made the file may have filled it with headers that are right, of
 * bodies that are long, wrong, and lie one over the other.  Each byte is read
 * a few times all the same:
 *
 * - Rubble is looked at once, part by part; holes are passed over.
 * - A body is read when its record stands where the one before it ends, and
 *   behind every wrong one that was read so: such bodies do not overlap.
 * - Any other body that turns out wrong is paid for, with a multiple of the
 *   rubble that has been seen, and of one of the largest size from the start.
 */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "pipeline/record_intake.h"
#include "salvage/scan.h"
#include "util/array.h"

/* Rubble is searched in parts of this size. */
#define PART_BYTES (1u << 20)

/* Records below this size are read by parts, too. */
#define SMALL_BYTES (16u << 10)

/* Bytes of wrong bodies for each byte of rubble.  Honest ones come one behind
 * the other; guest memory may hold records of other images, in which there may
 * be more.
 */
#define DEPTH 16u

struct scanner {
  const struct file *file;
  const struct file_header *header;    /* NULL: records of any image */
  struct salvage_scan *scan;
  uint8_t *part;               /* of the file, from PART_OFFSET on */
  uint64_t part_offset;
  size_t part_bytes;
  uint64_t rough_end;          /* before it parts are pages: some are bad */
  uint8_t *body;               /* room for the largest record */
  uint64_t chain;              /* where the record before ends */
  uint64_t wrong_end;          /* of the last wrong body that was read for it */
  uint64_t credit;             /* bytes of wrong bodies yet to be read */
  struct error *starved;       /* what could not be read for want of memory */
};

static int
add_record (struct found_record **records, size_t *count,
            const struct record_header *header, uint64_t offset,
            struct error *err)
{
  if (!array_grow (records, *count, sizeof **records))
    return error_set (err, ERROR_FAILED, errno, "cannot list the records");
  (*records)[(*count)++] = (struct found_record) {
    .header = *header,
    .offset = offset,
  };
  return 0;
}

static bool
readable (const struct scanner *scanner, uint64_t offset, uint8_t *buffer,
          size_t length)
{
  struct error unreadable = { 0 };

  if (file_read_at (scanner->file, offset, buffer, length, &unreadable) == 0)
    return true;
  if (error_lacks_memory (&unreadable))
    *scanner->starved = unreadable;
  return false;
}

/* What stands at OFFSET, if the part has all LENGTH bytes of it, or NULL. */
static const uint8_t *
in_part (const struct scanner *scanner, uint64_t offset, size_t length)
{
  if (offset < scanner->part_offset ||
      offset - scanner->part_offset + length > scanner->part_bytes)
    return NULL;
  return scanner->part + (offset - scanner->part_offset);
}

/* Copy what stands at OFFSET, out of the part where that has it. */
static bool
copy_head (const struct scanner *scanner, uint64_t offset, uint8_t *head,
           size_t length)
{
  const uint8_t *bytes = in_part (scanner, offset, length);

  if (bytes != NULL)
    memcpy (head, bytes, length);
  return bytes != NULL ||
    (scanner->file->size - offset >= length &&
     readable (scanner, offset, head, length));
}

/* Have the body of RECORD, whose header stands at OFFSET, and check it. */
static bool
body_right (const struct scanner *scanner, uint64_t offset,
            const struct record_header *record)
{
  size_t length = record_body_bytes (record);
  const uint8_t *body = in_part (scanner, offset + RECORD_HEADER_BYTES,
                                 length);
  struct error invalid = { 0 };

  if (body == NULL && readable (scanner, offset + RECORD_HEADER_BYTES,
                                scanner->body, length))
    body = scanner->body;
  return body != NULL && record_body_check (record, body, &invalid) == 0;
}

/* Whether a record's header stands at OFFSET, and a right one. */
static bool
header_at (const struct scanner *scanner, uint64_t offset,
           struct record_header *record)
{
  struct error invalid = { 0 };
  uint8_t head[RECORD_HEADER_BYTES];

  return copy_head (scanner, offset, head, sizeof head) &&
    record_header_sealed (head) &&
    record_header_decode (head, record, &invalid) == 0 &&
    (scanner->header == NULL || record_belongs (record, scanner->header));
}

/* Whether the RECORD whose header stands at OFFSET is whole and right. */
static bool
record_right (struct scanner *scanner, uint64_t offset,
              const struct record_header *record)
{
  bool chained = offset == scanner->chain && offset >= scanner->wrong_end;

  if (scanner->file->size - offset < record_bytes (record) ||
      (!chained && record_bytes (record) > scanner->credit))
    return false;
  if (chained)
    scanner->chain = offset + record_bytes (record);
  if (body_right (scanner, offset, record)) {
    scanner->chain = offset + record_bytes (record);
    return true;
  }
  if (chained)
    scanner->wrong_end = scanner->chain;
  else
    scanner->credit -= record_bytes (record);
  return false;
}

/* Note the record that stands at OFFSET.  Returns its length; 0 when there is
 * none, or none that is whole; or -1 with ERR.
 */
static int64_t
note_record (struct scanner *scanner, uint64_t offset, struct error *err)
{
  struct salvage_scan *scan = scanner->scan;
  struct record_header record;

  if (!header_at (scanner, offset, &record))
    return 0;
  if (!record_right (scanner, offset, &record))
    return add_record (&scan->damaged, &scan->damaged_count, &record, offset,
                       err);
  if (add_record (&scan->records, &scan->record_count, &record, offset,
                  err) < 0)
    return -1;
  return (int64_t) record_bytes (&record);
}

/* Note the index whose magic stands at OFFSET, if its header is right. */
static int
note_index (struct scanner *scanner, uint64_t offset, struct error *err)
{
  struct salvage_scan *scan = scanner->scan;
  struct found_index found = { .offset = offset };
  uint64_t length = minimum_u64 (scanner->file->size - offset,
                                 sizeof found.bytes);

  /* One without entries may be the end of a file that was cut. */
  if (length < INDEX_HEADER_BYTES ||
      !copy_head (scanner, offset, found.bytes, (size_t) length) ||
      !index_header_sealed (found.bytes))
    return 0;
  if (!array_grow (&scan->indexes, scan->index_count, sizeof found))
    return error_set (err, ERROR_FAILED, errno, "cannot list the indexes");
  scan->indexes[scan->index_count++] = found;
  return 0;
}

/* Have the part begin at *OFFSET, or behind it, where there are bytes that can
 * be read; *OFFSET is then there, or the end of the file.
 */
static int
load_part (struct scanner *scanner, uint64_t *offset, struct error *err)
{
  uint64_t size = scanner->file->size;

  scanner->part_bytes = 0;
  while ((*offset = file_next_data (scanner->file, *offset)) < size) {
    /* A magic may lie across the end of a page. */
    uint64_t page_end = align_up (*offset + RECORD_MAGIC_BYTES, PAGE_BYTES);
    bool rough = *offset < scanner->rough_end;
    size_t length = (size_t) minimum_u64 (size - *offset,
                                          rough ? page_end - *offset
                                          : PART_BYTES);

    if (file_check_cancelled (scanner->file, err) < 0)
      return -1;
    if (readable (scanner, *offset, scanner->part, length)) {
      scanner->part_offset = *offset;
      scanner->part_bytes = length;
      scanner->credit += DEPTH * length;
      return 0;
    }
    if (rough)
      *offset = page_end;
    else
      scanner->rough_end = *offset + length;
  }
  return 0;
}

/* The index in the part of the next magic from FROM on, or the number of bytes
 * after which none can begin.
 */
static size_t
find_magic (const struct scanner *scanner, size_t from)
{
  const uint8_t *part = scanner->part;
  size_t i;

  for (i = from; i + RECORD_MAGIC_BYTES <= scanner->part_bytes; i++)
    if (part[i] == RECORD_MAGIC[0] &&
        (memcmp (part + i, RECORD_MAGIC, RECORD_MAGIC_BYTES) == 0 ||
         memcmp (part + i, INDEX_MAGIC, INDEX_MAGIC_BYTES) == 0))
      break;
  return i;
}

/* Whether the part has a whole magic's length at OFFSET; if not it is loaded
 * anew from there on, or *OFFSET moves on.  Returns 1, 0, or -1 with ERR.
 */
static int
cover (struct scanner *scanner, uint64_t *offset, struct error *err)
{
  uint64_t part_end = scanner->part_offset + scanner->part_bytes;

  if (*offset >= scanner->part_offset &&
      *offset + RECORD_MAGIC_BYTES <= part_end)
    return 1;
  if (scanner->file->size - *offset < RECORD_MAGIC_BYTES)
    *offset = scanner->file->size;
  else if (load_part (scanner, offset, err) < 0)
    return -1;
  return scanner->part_bytes >= RECORD_MAGIC_BYTES &&
    *offset < scanner->file->size;
}

/* The next place behind FAILED on where a record may begin, or the end of the
 * file.  Notes indexes on the way, also at FAILED.
 */
static int
next_candidate (struct scanner *scanner, uint64_t failed, uint64_t *next,
                struct error *err)
{
  uint64_t offset = failed;

  while (offset < scanner->file->size) {
    int covered = cover (scanner, &offset, err);
    size_t at;

    if (covered < 0)
      return -1;
    if (covered == 0)
      continue;
    at = find_magic (scanner, (size_t) (offset - scanner->part_offset));
    offset = scanner->part_offset + at;
    if (at + RECORD_MAGIC_BYTES > scanner->part_bytes)
      continue;
    if (memcmp (scanner->part + at, INDEX_MAGIC, INDEX_MAGIC_BYTES) == 0) {
      if (note_index (scanner, offset, err) < 0)
        return -1;
    }
    else if (offset > failed)
      break;
    offset++;
  }
  *next = offset;
  return 0;
}

/* Have a small record in the part, if one stands at OFFSET. */
static int
load_small (struct scanner *scanner, uint64_t offset, struct error *err)
{
  uint64_t length = minimum_u64 (SMALL_BYTES, scanner->file->size - offset);

  return in_part (scanner, offset, (size_t) length) != NULL ? 0
    : load_part (scanner, &offset, err);
}

static int
scan (struct scanner *scanner, uint64_t offset, struct error *err)
{
  scanner->chain = offset;
  while (offset < scanner->file->size) {
    int64_t length;

    if (file_check_cancelled (scanner->file, err) < 0)
      return -1;
    length = note_record (scanner, offset, err);
    if (length < 0)
      return -1;
    if (length > 0) {
      offset += (uint64_t) length;
      /* Small ones come in numbers: do not ask the disk for each. */
      if (length < SMALL_BYTES && load_small (scanner, offset, err) < 0)
        return -1;
    }
    else if (next_candidate (scanner, offset, &offset, err) < 0)
      return -1;
  }
  return 0;
}

int
scan_for_records (const struct file *file, uint64_t start,
                  const struct file_header *header,
                  struct salvage_scan *scan_out, struct error *err)
{
  struct error starved = { 0 };
  struct scanner scanner = {
    .file = file,
    .header = header,
    .scan = scan_out,
    .part = malloc (PART_BYTES),
    .body = malloc (record_intake_room (CHUNK_BYTES_MAX)),
    .credit = record_intake_room (CHUNK_BYTES_MAX),
    .starved = &starved,
  };
  int result;

  *scan_out = (struct salvage_scan) { .record_count = 0 };
  if (scanner.part == NULL || scanner.body == NULL)
    result = error_set (err, ERROR_FAILED, ENOMEM, "cannot search the image");
  else
    result = scan (&scanner, start, err);
  if (result == 0 && starved.kind != ERROR_NONE) {
    *err = starved;
    result = -1;
  }
  free (scanner.part);
  free (scanner.body);
  return result;
}

void
scan_free (struct salvage_scan *scan)
{
  free (scan->records);
  free (scan->damaged);
  free (scan->indexes);
}
