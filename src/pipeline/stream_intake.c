/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of an image that comes through a pipe. */

#include <config.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "pipeline/stream_intake.h"
#include "util/array.h"
#include "util/checksum.h"

struct stream_intake {
  struct image *image;
  uint64_t offset;             /* of the next byte in the image */
  struct slot *filled;         /* started, for finish to hand out */

  /* Encoded index entries of the records seen, to hold against the index. */
  uint8_t *entries;
  struct footer seen;          /* its totals */
  uint64_t next_window;        /* lowest window that may come next */
};

int
stream_intake_open (struct image *image, struct stream_intake **intake_out,
                    struct error *err)
{
  struct stream_intake *intake;

  if (is_unordered (&image->header)) {
    error_about (err, ERROR_BAD_INPUT, 0, image->file->name, "its records are "
                 "in another order than a pipe brings them, as iopress mount "
                 "writes them");
    return error_hint (err, "name it as a file");
  }
  intake = calloc (1, sizeof *intake);
  if (intake == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up reading");
  intake->image = image;
  intake->offset = image->header.prefix_bytes + FILE_HEADER_BYTES;
  *intake_out = intake;
  return 0;
}

void
stream_intake_close (struct stream_intake *intake)
{
  if (intake == NULL)
    return;
  free (intake->entries);
  free (intake);
}

/* Bytes that were read together with the header come first. */
static size_t
take_ahead (struct image *image, uint8_t *buffer, size_t length)
{
  size_t part = (size_t) minimum_u64 (length, image->ahead_bytes);

  memcpy (buffer, image->ahead, part);
  image->ahead += part;
  image->ahead_bytes -= part;
  return part;
}

/* Read exactly LENGTH bytes; the image is incomplete when it ends before. */
static int
read_exactly (struct stream_intake *intake, uint8_t *buffer, size_t length,
              struct error *err)
{
  size_t done = take_ahead (intake->image, buffer, length);

  while (done < length) {
    ssize_t count = file_read_stream (intake->image->file, buffer + done,
                                      length - done, err);

    if (count < 0)
      return -1;
    if (count == 0)
      return error_set (err, ERROR_BAD_INPUT, 0,
                        "the image is incomplete: it ends at byte %llu",
                        (unsigned long long) (intake->offset + done));
    done += (size_t) count;
  }
  intake->offset += length;
  return 0;
}

static int
skip (struct stream_intake *intake, uint64_t length, struct error *err)
{
  uint8_t buffer[PAGE_BYTES];

  while (length > 0) {
    size_t part = (size_t) minimum_u64 (length, sizeof buffer);

    if (read_exactly (intake, buffer, part, err) < 0)
      return -1;
    length -= part;
  }
  return 0;
}

/* Remember what the index has to say about the record. */
static int
remember (struct stream_intake *intake, const struct record_header *record,
          uint64_t offset, struct error *err)
{
  struct index_entry entry = index_entry_of (record, offset);
  uint64_t count = intake->seen.record_count;

  if (!array_grow (&intake->entries, count, INDEX_ENTRY_BYTES))
    return error_set (err, ERROR_FAILED, errno, "cannot hold the index");
  index_entry_encode (&entry, intake->entries + count * INDEX_ENTRY_BYTES);
  footer_count (&intake->seen, &entry, record->chunk_bytes);
  return 0;
}

/* The rest of a record whose magic is in the slot already. */
static int
read_record (struct stream_intake *intake, struct slot *slot,
             struct error *err)
{
  const struct file_header *header = &intake->image->header;
  struct record_header *record = &slot->window.header;
  uint64_t offset = intake->offset - RECORD_MAGIC_BYTES;

  if (read_exactly (intake, slot->packed + RECORD_MAGIC_BYTES,
                    RECORD_HEADER_BYTES - RECORD_MAGIC_BYTES, err) < 0 ||
      record_header_decode (slot->packed, record, err) < 0)
    return -1;
  if (!record_belongs (record, header))
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "the record at byte %llu belongs to another image",
                      (unsigned long long) offset);
  if (record->window < intake->next_window)
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "window %llu is out of order",
                      (unsigned long long) record->window);
  intake->next_window = record->window + 1;
  slot->window.number = record->window;
  slot->window.record = slot->packed;
  slot->window.record_bytes = record_bytes (record);
  if (read_exactly (intake, slot->packed + RECORD_HEADER_BYTES,
                    record_body_bytes (record), err) < 0)
    return -1;
  return remember (intake, record, offset, err);
}

/* Index entries must be those of the records that came. */
static int
check_entries (struct stream_intake *intake, struct error *err)
{
  size_t length = intake->seen.record_count * INDEX_ENTRY_BYTES, done = 0;
  uint8_t buffer[PAGE_BYTES];

  while (done < length) {
    size_t part = (size_t) minimum_u64 (length - done, sizeof buffer);

    if (read_exactly (intake, buffer, part, err) < 0)
      return -1;
    if (memcmp (buffer, intake->entries + done, part) != 0)
      return error_set (err, ERROR_BAD_INPUT, 0,
                        "index: it does not agree with the records");
    done += part;
  }
  return 0;
}

/* The index whose magic has been read, the footer, and the end. */
static int
read_end (struct stream_intake *intake, uint8_t *bytes, struct error *err)
{
  struct image *image = intake->image;
  uint64_t index_offset = intake->offset - INDEX_MAGIC_BYTES;
  struct index_header index;
  struct footer *footer = &image->footer;
  ssize_t rest = 0;
  uint64_t offset;

  if (read_exactly (intake, bytes + INDEX_MAGIC_BYTES,
                    INDEX_HEADER_BYTES - INDEX_MAGIC_BYTES, err) < 0 ||
      index_header_decode (bytes, &image->header, &index, err) < 0)
    return -1;
  if (index.entry_count != intake->seen.record_count ||
      index.entries_checksum != checksum (intake->entries,
                                          intake->seen.record_count *
                                          INDEX_ENTRY_BYTES))
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "index: it does not agree with the records");
  if (check_entries (intake, err) < 0)
    return -1;
  offset = intake->offset;
  if (read_exactly (intake, bytes, FOOTER_BYTES, err) < 0 ||
      footer_decode (bytes, offset, &image->header, footer, err) < 0)
    return -1;
  if (footer->index_offset != index_offset ||
      !footer_same_totals (footer, &intake->seen))
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "footer: totals do not agree with the records");
  if (image->ahead_bytes > 0 ||
      (rest = file_read_stream (image->file, bytes, 1, err)) > 0)
    return error_set (err, ERROR_BAD_INPUT, 0, "bytes follow the footer");
  if (rest < 0)
    return -1;
  image->bytes = intake->offset;
  return 0;
}

static int
begin (void *opaque, struct slot *slot, struct error *err)
{
  struct stream_intake *intake = opaque;
  uint64_t start = records_start (&intake->image->header);
  int result = -1;

  if (intake->offset < start &&
      skip (intake, start - intake->offset, err) < 0)
    goto out;
  if (read_exactly (intake, slot->packed, RECORD_MAGIC_BYTES, err) < 0)
    goto out;
  if (memcmp (slot->packed, INDEX_MAGIC, INDEX_MAGIC_BYTES) == 0)
    result = read_end (intake, slot->packed, err);
  else if (read_record (intake, slot, err) == 0) {
    intake->filled = slot;
    result = 1;
  }

 out:
  if (result < 0)
    error_subject (err, intake->image->file->name);
  return result;
}

static struct slot *
finish (void *opaque)
{
  struct stream_intake *intake = opaque;

  return intake->filled;
}

static void
interrupt (void *opaque)
{
  struct stream_intake *intake = opaque;

  atomic_store (&intake->image->file->interrupted, true);
}

struct intake
stream_intake_face (struct stream_intake *intake)
{
  return (struct intake) {
    .opaque = intake,
    .begin = begin,
    .finish = finish,
    .interrupt = interrupt,
    .depth = 1,
    .read_fd = -1,
  };
}
