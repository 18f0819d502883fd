/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Going on with an image that an earlier run left unfinished. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "pipeline/record_source.h"
#include "pipeline/resume.h"
#include "image/source_layout.h"
#include "pipeline/source_need.h"
#include "util/cleanup.h"

/* What is looked at of an empty file at a time. */
#define PIECE_BYTES (256u << 10)

/* Add ENTRY to the image's. */
static int
add_entry (struct image *image, const struct index_entry *entry,
           struct error *err)
{
  uint64_t count = image->footer.record_count;

  /* The room doubles whenever the count is a power of two. */
  if (count == 0 || is_power_of_two (count)) {
    size_t room = count == 0 ? 1 : count * 2;
    struct index_entry *entries = reallocarray (image->entries, room,
                                                sizeof *entries);

    if (entries == NULL)
      return error_set (err, ERROR_FAILED, errno, "cannot hold the index");
    image->entries = entries;
  }
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
    malloc (record_source_room (image->header.chunk_bytes));
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
  int complete;

  resume->image = image;
  if (walk_records (image, err) < 0 ||
      (complete = has_index (image, err)) < 0)
    return error_subject (err, image->file->name);
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
  uint8_t bytes[MARKER_BYTES];

  if (source->size < sizeof bytes)
    return 0;
  if (file_read_at (source, 0, bytes, sizeof bytes, err) < 0)
    return -1;
  resume->consumed = marker_decode (bytes, &resume->marker) &&
    resume->marker.kind == MARKER_CONSUMED;
  return 0;
}

/* A source with a marker: the marker names its image. */
static int
check_marker (const struct resume *resume, const struct file *source,
              struct error *err)
{
  const struct marker *marker = &resume->marker;
  const struct file_header *header = &resume->image->header;

  if (memcmp (marker->image_id, header->image_id, IMAGE_ID_BYTES) != 0) {
    error_set (err, ERROR_BAD_INPUT, 0,
               "was partly moved to another image, not to %s",
               resume->image->file->name);
    return error_subject (err, source->name);
  }
  if (marker->consumed_bytes > resume->covered_bytes) {
    error_set (err, ERROR_BAD_INPUT, 0,
               "its first %llu bytes were moved to %s, whose records are "
               "whole up to byte %llu only",
               (unsigned long long) marker->consumed_bytes,
               resume->image->file->name,
               (unsigned long long) resume->covered_bytes);
    error_subject (err, source->name);
    return error_hint (err, "the image was damaged or cut: keep both files, "
                       "iopress recover saves what is whole");
  }
  return 0;
}

/* Which pages of a window the records must agree with: those not absent, not
 * in the prefix.
 */
static void
counting_pages (const struct file_header *header,
                const struct mapped_ram *ram, uint64_t window, uint8_t *map)
{
  uint64_t start = window * header->chunk_bytes;
  uint32_t page, pages = window_pages (window, header->source_bytes,
                                       header->chunk_bytes);

  memset (map, 0, page_map_bytes (header->chunk_bytes));
  for (page = 0; page < pages; page++)
    if (start + (page + 1) * (uint64_t) PAGE_BYTES > header->prefix_bytes)
      bitmap_set (map, page);
  if (ram != NULL)
    mapped_ram_mask (ram, start, pages, map);
}

/* Compare LENGTH bytes of both windows, page by page, from prefix on. */
static bool
windows_equal (const struct file_header *header, uint64_t start,
               const uint8_t *map, const uint8_t *a, const uint8_t *b,
               size_t length)
{
  size_t offset;

  for (offset = 0; offset < length; offset += PAGE_BYTES) {
    size_t part = (size_t) minimum_u64 (PAGE_BYTES, length - offset);
    size_t skip = 0;

    if (!bitmap_test (map, offset / PAGE_BYTES))
      continue;
    if (start + offset < header->prefix_bytes)
      skip = (size_t) (header->prefix_bytes - start - offset);
    if (memcmp (a + offset + skip, b + offset + skip, part - skip) != 0)
      return false;
  }
  return true;
}

static int
compare_windows (const struct resume *resume, const struct read_at *source,
                 const struct read_at *image, const struct source_need *need,
                 struct error *err)
{
  const struct file_header *header = &resume->image->header;
  const struct mapped_ram *ram = need->exact ? NULL : need->ram;
  CLEANUP_FREE uint8_t *expected = malloc (header->chunk_bytes);
  CLEANUP_FREE uint8_t *found = malloc (header->chunk_bytes);
  uint8_t map[CHUNK_BYTES_MAX / PAGE_BYTES / 8];
  uint64_t offset = 0;

  if (expected == NULL || found == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot compare");
  for (;;) {
    uint64_t window, start;
    size_t length;

    offset = minimum_u64 (source_need_next (need, source, offset),
                          image->next_data (image->opaque, offset));
    if (offset >= resume->covered_bytes)
      return 0;
    window = offset / header->chunk_bytes;
    start = window * header->chunk_bytes;
    length = (size_t) minimum_u64 (header->chunk_bytes,
                                   header->source_bytes - start);
    counting_pages (header, ram, window, map);
    if (source->read (source->opaque, start, found, length, err) < 0 ||
        image->read (image->opaque, start, expected, length, err) < 0)
      return -1;
    if (ram != NULL)
      mapped_ram_clear_absent (ram, start, found, length);
    if (!windows_equal (header, start, map, found, expected, length))
      return error_set (err, ERROR_BAD_INPUT, 0,
                        "is not the source of %s: bytes %llu to %llu differ",
                        resume->image->file->name,
                        (unsigned long long) start,
                        (unsigned long long) (start + length));
    offset = start + header->chunk_bytes;
  }
}

/* A power cut before the first sync can leave header and records without the
 * prefix; and virsh may have edited it in the source since.
 */
static int
compare_prefix (struct resume *resume, const struct read_at *source,
                struct error *err)
{
  const struct image *image = resume->image;
  size_t length = (size_t) image->header.prefix_bytes;
  CLEANUP_FREE uint8_t *prefix = malloc (length + 1);

  if (prefix == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot compare");
  if (source->read (source->opaque, 0, prefix, length, err) < 0)
    return -1;
  resume->prefix_differs = memcmp (prefix, image->prefix, length) != 0;
  return 0;
}

/* A source without marker is whole, so it can be held against the records. */
static int
check_whole_source (struct resume *resume, const struct file *source,
                    struct image_view *view, struct error *err)
{
  const struct file_header *header = &resume->image->header;
  struct read_at from_source = read_at_of_file (source);
  struct read_at from_image = read_at_of_view (view);
  struct source_layout layout = { 0 };
  struct source_need need;
  int result;

  if (header->kind == IMAGE_MAPPED_RAM &&
      source_layout_parse (&from_source, header->kind, header->prefix_bytes,
                           &layout, err) < 0) {
    error_context (err, "is not the source of %s", resume->image->file->name);
    return error_subject (err, source->name);
  }
  result = source_need_find (source, layout.ram,
                             (header->compatible & FEATURE_EXACT) != 0,
                             (header->compatible & FEATURE_DISCARD) != 0,
                             &need, err);
  if (result == 0)
    result = compare_windows (resume, &from_source, &from_image, &need, err);
  if (result == 0)
    result = compare_prefix (resume, &from_source, err);
  source_layout_free (&layout);
  resume->source_whole = result == 0;
  return result < 0 ? error_subject (err, source->name) : 0;
}

int
resume_source_is_empty (const struct file *source, struct error *err)
{
  CLEANUP_FREE uint8_t *piece = malloc (PIECE_BYTES);
  struct read_at at = read_at_of_file (source);
  uint64_t offset = 0, doubted = 0;

  if (piece == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot be examined");
  while ((offset = read_at_next_data (&at, offset, source->size, PIECE_BYTES,
                                      &doubted)) < source->size) {
    size_t length = (size_t) minimum_u64 (PIECE_BYTES, source->size - offset);

    if (file_read_at (source, offset, piece, length, err) < 0)
      return -1;
    if (!bytes_are_zero (piece, length))
      return 0;
    offset += length;
  }
  return 1;
}

int
resume_check_source (struct resume *resume, const struct file *source,
                     struct image_view *view, struct error *err)
{
  const struct file_header *header = &resume->image->header;

  if (source->size != header->source_bytes) {
    error_set (err, ERROR_BAD_INPUT, 0,
               "has %llu bytes, but %s was begun from a source of %llu",
               (unsigned long long) source->size, resume->image->file->name,
               (unsigned long long) header->source_bytes);
    error_subject (err, source->name);
    return source->size < header->source_bytes ? -1
      : error_hint (err, "what was appended to it since can be cut off with "
                    "truncate");
  }
  if (resume->consumed)
    return check_marker (resume, source, err);
  /* The last step of all takes the marker away: nothing is left. */
  if (resume->complete) {
    int empty = resume_source_is_empty (source, err);

    if (empty != 0)
      return empty < 0 ? -1 : 0;
  }
  return check_whole_source (resume, source, view, err);
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
