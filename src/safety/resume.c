/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Going on with an image that an earlier run left unfinished. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "image/content.h"
#include "pipeline/intake_need.h"
#include "pipeline/record_intake.h"
#include "safety/resume_view.h"
#include "util/array.h"
#include "util/cleanup.h"

/* Add ENTRY to the image's. */
static int
add_entry (struct image *image, const struct index_entry *entry,
           struct error *err)
{
  uint64_t count = image->footer.record_count;

  if (!array_grow (&image->entries, count, sizeof *entry))
    return error_set (err, ERROR_FAILED, errno, "cannot hold the index");
  image->entries[count] = *entry;
  image->footer.record_count++;
  return 0;
}

/* Whether a valid record of the image, after window PREVIOUS, stands at OFFSET
 * of the file.  BUFFER has room for any.  Returns 1 and *RECORD, 0, or -1 with
 * ERR when it cannot be read.
 */
static int
read_record (const struct image *image, uint64_t offset,
             const struct index_entry *previous, uint8_t *buffer,
             struct record_header *record, struct error *err)
{
  struct error invalid = { 0 };
  const struct file *file = image->file;

  if (offset > file->size || file->size - offset < RECORD_HEADER_BYTES)
    return 0;
  if (file_read_at (file, offset, buffer, RECORD_HEADER_BYTES, err) < 0)
    return -1;
  if (record_header_decode (buffer, record, &invalid) < 0 ||
      !record_belongs (record, &image->header) ||
      (previous != NULL && record->window <= previous->window) ||
      file->size - offset < record_bytes (record))
    return 0;
  if (file_read_at (file, offset + RECORD_HEADER_BYTES, buffer,
                    record_body_bytes (record), err) < 0)
    return -1;
  return record_body_check (record, buffer, &invalid) == 0;
}

static int
walk_records (struct image *image, struct error *err)
{
  CLEANUP_FREE uint8_t *buffer =
    malloc (record_intake_room (image->header.chunk_bytes));
  const struct index_entry *previous = NULL;
  struct record_header record;
  int valid;

  if (buffer == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot walk the records");
  image->bytes = records_start (&image->header);
  while ((valid = read_record (image, image->bytes, previous, buffer, &record,
                               err)) > 0) {
    struct index_entry entry = index_entry_of (&record, image->bytes);

    if (add_entry (image, &entry, err) < 0)
      return -1;
    image->bytes += entry.record_bytes;
    previous = &image->entries[image->footer.record_count - 1];
  }
  return valid;
}

/* Whether index and footer are there and agree with what the walk found.
 * Returns 1, 0, or -1 with ERR when they cannot be read.
 */
static int
has_index (const struct image *walked, struct error *err)
{
  struct error incomplete = { 0 };
  struct image image = { .file = walked->file, .header = walked->header };
  int result = image_load_index (&image, &incomplete) == 0 &&
    image.footer.record_count == walked->footer.record_count &&
    image.footer.index_offset == walked->bytes;

  free (image.entries);
  if (incomplete.kind == ERROR_NONE || incomplete.kind == ERROR_BAD_INPUT)
    return result;
  *err = incomplete;
  return -1;
}

int
resume_walk (struct image *image, struct resume *resume, struct error *err)
{
  const struct file_header *header = &image->header;
  uint64_t count;
  int finished, complete;

  if (is_unordered (header)) {
    error_about (err, ERROR_BAD_INPUT, 0, image->file->name, "was written "
                 "through iopress mount, and save does not go on with that");
    return error_hint (err, "keep it: iopress verify tells whether it is "
                       "whole, and iopress recover saves what is of one that "
                       "is not");
  }
  resume->image = image;
  if (walk_records (image, err) < 0 ||
      (finished = image_is_finished (image, err)) < 0 ||
      (complete = has_index (image, err)) < 0)
    return error_subject (err, image->file->name);
  resume->finished = finished > 0;
  count = image->footer.record_count;
  resume->complete = complete > 0;
  if (resume->complete)
    resume->covered_bytes = header->source_bytes;
  else if (count > 0)
    resume->covered_bytes =
      minimum_u64 ((image->entries[count - 1].window + 1) *
                   header->chunk_bytes, header->source_bytes);
  return 0;
}

int
resume_read_marker (const struct file *source, struct resume *resume,
                    struct error *err)
{
  struct read_at at = read_at_of_file (source);
  struct content content;

  resume->left = SOURCE_UNKNOWN;
  if (content_look_for_marker (&at, &content, err) < 0)
    return -1;
  resume->marker = content.marker;
  if (content.kind == CONTENT_CONSUMED)
    resume->left = SOURCE_PARTLY_GONE;
  else if (content_settle (&at, &content, err) < 0)
    return -1;
  else if (content.kind != CONTENT_ZEROS)
    resume->left = SOURCE_WHOLE;
  return content.marker_damaged
    && content_check (&content, CONTENT_AS_SOURCE, err) < 0
    ? error_subject (err, source->name) : 0;
}

static int
read_either (void *opaque, uint64_t offset, void *buffer_out, size_t length,
             struct error *err)
{
  struct resume_view *view = opaque;
  uint8_t *buffer = buffer_out;

  while (length > 0) {
    bool covered = offset < view->covered_bytes;
    const struct read_at *from = covered ? &view->image : &view->source;
    size_t part = length;

    if (covered)
      part = (size_t) minimum_u64 (length, view->covered_bytes - offset);
    if (from->read (from->opaque, offset, buffer, part, err) < 0)
      return -1;
    buffer += part;
    offset += part;
    length -= part;
  }
  return 0;
}

static uint64_t
next_of_either (void *opaque, uint64_t offset)
{
  struct resume_view *view = opaque;

  if (offset < view->covered_bytes) {
    uint64_t data = view->image.next_data (view->image.opaque, offset);

    if (data < view->covered_bytes)
      return data;
    offset = view->covered_bytes;
  }
  return view->source.next_data (view->source.opaque, offset);
}

struct read_at
resume_read_at (const struct resume *resume, const struct file *source,
                struct image_view *view, struct resume_view *storage)
{
  *storage = (struct resume_view) {
    .image = read_at_of_view (view),
    .source = read_at_of_file (source),
    .covered_bytes = resume->covered_bytes,
  };
  return (struct read_at) {
    .read = read_either,
    .next_data = next_of_either,
    .opaque = storage,
    .size = source->size,
  };
}
