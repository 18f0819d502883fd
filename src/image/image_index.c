/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The index of an image: read and believed step by step. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "image/image.h"
#include "util/checksum.h"
#include "util/cleanup.h"

/* Entries that are read at a time, at first and at most; those fit one read
 * through a bounce buffer.
 */
#define STEP_FIRST 64u
#define STEP_MOST 7936u

/* An index of which a part has been read and believed. */
struct index_reader {
  const struct image *image;
  uint64_t offset;             /* in the file, of the next entry */
  uint64_t limit;              /* no record ends behind it */
  struct index_entry *entries;
  uint64_t room;
  struct footer seen;          /* totals of the entries */
  struct checksum_parts *sum;  /* of the entries as they stand in the file */
};

/* Make room for COUNT more: never more than twice of what has been believed,
 * and a step.
 */
static int
make_room (struct index_reader *reader, uint64_t count, struct error *err)
{
  uint64_t needed = reader->seen.record_count + count;
  uint64_t room = maximum_u64 (needed, 2 * reader->seen.record_count);
  struct index_entry *entries;

  if (needed <= reader->room)
    return 0;
  entries = reallocarray (reader->entries, room, sizeof *entries);
  if (entries == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot load the index");
  reader->entries = entries;
  reader->room = room;
  return 0;
}

/* Believe one entry, or refuse it. */
static int
take_entry (struct index_reader *reader,
            const uint8_t bytes[INDEX_ENTRY_BYTES], struct error *err)
{
  const struct file_header *header = &reader->image->header;
  struct footer *seen = &reader->seen;
  struct index_entry *entry = &reader->entries[seen->record_count];

  index_entry_decode (bytes, entry);
  if (index_entry_check (entry, seen->record_count > 0 ? entry - 1 : NULL,
                         header, reader->limit, err) < 0)
    return -1;
  footer_count (seen, entry, header->chunk_bytes);
  return 0;
}

static int
take_step (struct index_reader *reader, uint8_t *bytes, uint64_t count,
           struct error *err)
{
  size_t length = (size_t) count * INDEX_ENTRY_BYTES;
  uint64_t i;

  if (file_read_at (reader->image->file, reader->offset, bytes, length,
                    err) < 0 ||
      make_room (reader, count, err) < 0)
    return -1;
  checksum_add (reader->sum, bytes, length);
  reader->offset += length;
  for (i = 0; i < count; i++)
    if (take_entry (reader, bytes + i * INDEX_ENTRY_BYTES, err) < 0)
      return -1;
  return 0;
}

/* What one step has shown to be entries pays for the next one: a hole, or
 * what is no index, ends it early.
 */
static int
take_entries (struct index_reader *reader, uint64_t count, struct error *err)
{
  CLEANUP_FREE uint8_t *bytes = malloc (STEP_MOST * INDEX_ENTRY_BYTES);
  uint64_t step = STEP_FIRST;

  if (bytes == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot load the index");
  while (count > 0) {
    step = minimum_u64 (step, count);
    if (take_step (reader, bytes, step, err) < 0)
      return -1;
    count -= step;
    step = minimum_u64 (2 * step, STEP_MOST);
  }
  return 0;
}

static int
read_all (struct index_reader *reader, const struct index_header *index,
          struct error *err)
{
  uint64_t end = reader->offset + index->entry_count * INDEX_ENTRY_BYTES;
  struct error refused = { 0 };

  reader->sum = checksum_begin ();
  if (reader->sum == NULL)
    return error_set (err, ERROR_FAILED, ENOMEM, "cannot load the index");
  take_entries (reader, index->entry_count, &refused);
  /* Of an index that was read to its end this tells more than an entry. */
  if (checksum_end (reader->sum) != index->entries_checksum &&
      reader->offset == end)
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "index: the checksum of its entries is wrong");
  if (refused.kind == ERROR_NONE)
    return 0;
  *err = refused;
  return -1;
}

static int
by_offset (const void *a, const void *b)
{
  const struct index_entry *first = *(const struct index_entry *const *) a;
  const struct index_entry *second = *(const struct index_entry *const *) b;

  return first->offset < second->offset ? -1 : first->offset > second->offset;
}

/* Refuse records of an unordered image that share bytes. */
static int
check_apart (const struct index_reader *reader, struct error *err)
{
  uint64_t count = reader->seen.record_count, i;
  CLEANUP_FREE const struct index_entry **sorted = NULL;

  if (!is_unordered (&reader->image->header) || count == 0)
    return 0;
  sorted = calloc (count, sizeof *sorted);
  if (sorted == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot check the index");
  for (i = 0; i < count; i++)
    sorted[i] = &reader->entries[i];
  qsort (sorted, count, sizeof *sorted, by_offset);
  for (i = 1; i < count; i++)
    if (sorted[i]->offset < sorted[i - 1]->offset +
        sorted[i - 1]->record_bytes)
      return error_set (err, ERROR_BAD_INPUT, 0, "index: the records of "
                        "windows %llu and %llu overlap",
                        (unsigned long long) sorted[i - 1]->window,
                        (unsigned long long) sorted[i]->window);
  return 0;
}

int
image_read_index (const struct image *image, uint64_t offset, uint64_t limit,
                  const struct index_header *header,
                  struct image_index *index, struct error *err)
{
  struct index_reader reader = {
    .image = image,
    .offset = offset + INDEX_HEADER_BYTES,
    .limit = limit,
  };

  if (read_all (&reader, header, err) < 0 ||
      check_apart (&reader, err) < 0) {
    free (reader.entries);
    return -1;
  }
  index->entries = reader.entries;
  index->totals = reader.seen;
  return 0;
}

/* The index that the footer tells of. */
static int
load_entries (struct image *image, struct error *err)
{
  const struct footer *footer = &image->footer;
  uint64_t offset = footer->index_offset;
  uint8_t bytes[INDEX_HEADER_BYTES];
  struct index_header header;
  struct image_index index;

  if (file_read_at (image->file, offset, bytes, sizeof bytes, err) < 0 ||
      index_header_decode (bytes, &image->header, &header, err) < 0)
    return -1;
  if (header.entry_count != footer->record_count)
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "index: it has %llu entries, the footer says %llu",
                      (unsigned long long) header.entry_count,
                      (unsigned long long) footer->record_count);
  if (image_read_index (image, offset, offset, &header, &index, err) < 0)
    return -1;
  image->entries = index.entries;
  if (!footer_same_totals (&index.totals, footer))
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "footer: totals do not agree with the index");
  return 0;
}

int
image_load_index (struct image *image, struct error *err)
{
  uint64_t start = records_start (&image->header);
  uint8_t bytes[FOOTER_BYTES];
  uint64_t offset;

  image->bytes = image->file->size;
  if (image->bytes < start + INDEX_HEADER_BYTES + FOOTER_BYTES) {
    error_set (err, ERROR_BAD_INPUT, 0,
               "the image is incomplete: it ends before its footer");
    goto fail;
  }
  offset = image->bytes - FOOTER_BYTES;
  if (file_read_at (image->file, offset, bytes, sizeof bytes, err) < 0 ||
      footer_decode (bytes, offset, &image->header, &image->footer, err) < 0)
    goto fail;
  if (image->footer.index_offset < start ||
      image->footer.index_bytes > image->bytes) {
    error_set (err, ERROR_BAD_INPUT, 0, "footer: the index is out of place");
    goto fail;
  }
  if (load_entries (image, err) == 0)
    return 0;

 fail:
  error_subject (err, image->file->name);
  return -1;
}

uint64_t
image_find_window (const struct image *image, uint64_t window)
{
  uint64_t low = 0, high = image->footer.record_count;

  while (low < high) {
    uint64_t middle = low + (high - low) / 2;

    if (image->entries[middle].window < window)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}
