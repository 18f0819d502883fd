/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a source and what there is of an image belong together. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "safety/resume_view.h"
#include "salvage/scan.h"
#include "pipeline/intake_need.h"
#include "util/cleanup.h"

/* A source that is held against the records of an image. */
struct match {
  struct resume *resume;
  const struct file *file;
  struct read_at source, image;
  const struct mapped_ram *ram;        /* marks pages that do not count */
};

/* A source of zeros is what an earlier run leaves that was done: it has nothing
 * of what the image lacks.
 */
static int
refuse_empty (const struct resume *resume, const struct file *source,
              struct error *err)
{
  error_about (err, ERROR_BAD_INPUT, 0, source->name, "holds nothing, and the "
               "records of %s are whole up to byte %llu only",
               resume->image->file->name,
               (unsigned long long) resume->covered_bytes);
  return error_hint (err, "keep both files, iopress recover saves what is "
                     "whole");
}

/* A source with a marker: the marker names its image. */
static int
check_marker (const struct resume *resume, const struct file *source,
              struct error *err)
{
  const struct marker *marker = &resume->marker;
  const struct file_header *header = &resume->image->header;

  if (memcmp (marker->image_id, header->image_id, IMAGE_ID_BYTES) != 0)
    return error_about (err, ERROR_BAD_INPUT, 0, source->name,
                        "was partly moved to another image, not to %s",
                        resume->image->file->name);
  if (marker->consumed_bytes > resume->covered_bytes) {
    error_about (err, ERROR_BAD_INPUT, 0, source->name, "its first %llu bytes "
                 "were moved to %s, whose records are whole up to byte %llu "
                 "only", (unsigned long long) marker->consumed_bytes,
                 resume->image->file->name,
                 (unsigned long long) resume->covered_bytes);
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
compare_window (const struct match *match, uint64_t window, struct error *err)
{
  const struct image *image = match->resume->image;
  const struct file_header *header = &image->header;
  CLEANUP_FREE uint8_t *expected = malloc (header->chunk_bytes);
  CLEANUP_FREE uint8_t *found = malloc (header->chunk_bytes);
  uint8_t map[CHUNK_BYTES_MAX / PAGE_BYTES / 8];
  uint64_t start = window * header->chunk_bytes;
  size_t length = (size_t) minimum_u64 (header->chunk_bytes,
                                        header->source_bytes - start);

  if (expected == NULL || found == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot compare");
  counting_pages (header, match->ram, window, map);
  if (match->source.read (match->source.opaque, start, found, length,
                          err) < 0 ||
      match->image.read (match->image.opaque, start, expected, length,
                         err) < 0)
    return -1;
  if (match->ram != NULL)
    mapped_ram_clear_absent (match->ram, start, found, length);
  if (windows_equal (header, start, map, found, expected, length))
    return 0;
  return error_set (err, ERROR_BAD_INPUT, 0,
                    "is not the source of %s: bytes %llu to %llu differ",
                    image->file->name, (unsigned long long) start,
                    (unsigned long long) (start + length));
}

/* Compare from OFFSET, the start of a window, to where the records end. */
static int
compare_windows (const struct match *match, const struct intake_need *need,
                 uint64_t offset, struct error *err)
{
  uint32_t chunk_bytes = match->resume->image->header.chunk_bytes;

  for (;;) {
    offset = minimum_u64 (intake_need_next (need, &match->source, offset),
                          match->image.next_data (match->image.opaque,
                                                  offset));
    if (offset >= match->resume->covered_bytes)
      return 0;
    if (compare_window (match, offset / chunk_bytes, err) < 0)
      return -1;
    offset = align_down (offset, chunk_bytes) + chunk_bytes;
  }
}

/* Whether FOUND is what is wanted but for zeros. */
static bool
is_lost (const uint8_t *found, const uint8_t *wanted, size_t length)
{
  size_t i;

  for (i = 0; i < length; i++)
    if (found[i] != 0 && found[i] != wanted[i])
      return false;
  return true;
}

/* A power cut before the first sync can leave header and records without the
 * prefix; and virsh may have edited it in the source since.
 */
static int
compare_prefix (const struct match *match, struct error *err)
{
  struct resume *resume = match->resume;
  size_t length = (size_t) resume->image->header.prefix_bytes;
  CLEANUP_FREE uint8_t *prefix = malloc (length + 1);

  if (prefix == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot compare");
  if (match->source.read (match->source.opaque, 0, prefix, length, err) < 0)
    return -1;
  resume->prefix_differs = memcmp (prefix, resume->image->prefix,
                                   length) != 0;
  resume->prefix_lost = resume->prefix_differs &&
    is_lost (resume->image->prefix, prefix, length);
  return 0;
}

/* Hold what the source still has, which is all from byte START on, against the
 * records; AT has what its stream is described by, which LAYOUT gets.
 */
static int
check_content (struct match *match, const struct read_at *at, uint64_t start,
               struct source_layout *layout, struct error *err)
{
  const struct image *image = match->resume->image;
  uint64_t features = image->header.compatible;
  struct intake_need need;

  if (source_layout_parse (at, image->header.kind, image->header.prefix_bytes,
                           layout, err) < 0)
    return err->kind == ERROR_BAD_INPUT
      ? error_context (err, "is not the source of %s", image->file->name) : -1;
  match->ram = features & FEATURE_EXACT ? NULL : layout->ram;
  if (intake_need_find (match->file, layout->ram,
                        (features & FEATURE_EXACT) != 0,
                        (features & FEATURE_DISCARD) != 0, &need, err) < 0)
    return -1;
  return compare_windows (match, &need, start, err);
}

/* The marker names an image by its id, which another one can have, too, or a
 * copy that has been finished from a damaged copy of the source: what is still
 * there must be what the records say.
 */
static int
check_rest_of_source (struct match *match, struct image_view *view,
                      struct source_layout *layout, struct error *err)
{
  struct resume *resume = match->resume;
  struct resume_view storage;
  struct read_at whole = resume_read_at (resume, match->file, view, &storage);

  if (check_marker (resume, match->file, err) < 0)
    return -1;
  if (check_content (match, &whole, resume->marker.consumed_bytes, layout,
                     err) == 0)
    return 0;
  if (err->kind == ERROR_BAD_INPUT)
    error_hint (err, "keep both files, the rest of this one is not in that "
                "image");
  return -1;
}

/* Without a marker, and with nothing where the records of an image end whose
 * source was given back: it may be what was salvaged of that image, with zeros
 * for what is missing.
 */
static int
check_not_salvaged (const struct resume *resume, const struct file *source,
                    struct error *err)
{
  bool discarded = (resume->image->header.compatible & FEATURE_DISCARD) != 0;
  struct read_at at = read_at_of_file (source);
  int empty;

  if (!discarded || resume->complete || resume->covered_bytes == 0 ||
      resume->covered_bytes >= source->size)
    return 0;
  empty = read_at_is_zero (&at, resume->covered_bytes, err);
  if (empty <= 0)
    return empty;
  error_about (err, ERROR_BAD_INPUT, 0, source->name, "holds nothing behind "
               "byte %llu, where the records of %s end: it may be what was "
               "salvaged of that", (unsigned long long) resume->covered_bytes,
               resume->image->file->name);
  return error_hint (err, "if it is whole save it under another name");
}

static int
check_source (struct match *match, struct image_view *view,
              struct source_layout *layout, struct error *err)
{
  const struct resume *resume = match->resume;
  const struct file *source = match->file;
  uint64_t bytes = resume->image->header.source_bytes;
  int empty;

  if (source->size != bytes)
    return error_about (err, ERROR_BAD_INPUT, 0, source->name, "has %llu "
                        "bytes, but %s was begun from a source of %llu",
                        (unsigned long long) source->size,
                        resume->image->file->name,
                        (unsigned long long) bytes);
  if (resume->left == SOURCE_PARTLY_GONE)
    return check_rest_of_source (match, view, layout, err);
  empty = source->size > 0 ? read_at_is_zero (&match->source, 0, err) : 0;
  if (empty < 0)
    return -1;
  /* The last step of all takes the marker away: nothing is left. */
  if (empty > 0)
    return resume->complete ? 0 : refuse_empty (resume, source, err);
  if (check_not_salvaged (resume, source, err) < 0)
    return -1;
  /* Without a marker it is whole, and can be held against all records. */
  return check_content (match, &match->source, 0, layout, err) < 0 ? -1
    : compare_prefix (match, err);
}

/* Whether the record FOUND, one behind those that are kept, says what the
 * source does.  Returns 0, or -1 with ERR.
 */
static int
compare_found (const struct match *match, const struct decoding *decoding,
               const struct found_record *found, struct error *err)
{
  struct index_entry entry = index_entry_of (&found->header, found->offset);
  struct image single = {
    .file = match->resume->image->file,
    .header = match->resume->image->header,
    .footer.record_count = 1,
    .entries = &entry,
  };
  struct match one = *match;
  struct image_view *view = NULL;
  int result;

  if (image_view_open (&single, decoding, NULL, &view, err) < 0)
    return -1;
  one.image = read_at_of_view (view);
  result = compare_window (&one, entry.window, err);
  image_view_close (view);
  return result;
}

/* Refuse a whole source that differs from any whole record behind those that
 * are kept.
 */
static int
check_behind (const struct match *match, const struct decoding *decoding,
              struct error *err)
{
  const struct image *image = match->resume->image;
  struct salvage_scan scan;
  int result = scan_for_records (image->file, image->bytes, &image->header,
                                 &scan, err);
  size_t i;

  for (i = 0; result == 0 && i < scan.record_count; i++)
    result = compare_found (match, decoding, &scan.records[i], err);
  scan_free (&scan);
  if (result < 0 && err->kind == ERROR_BAD_INPUT)
    error_hint (err, "keep both files, iopress recover saves what is whole");
  return result;
}

int
resume_check_source (struct resume *resume, const struct file *source,
                     const struct decoding *decoding,
                     struct source_layout *layout, struct error *err)
{
  struct match match = {
    .resume = resume,
    .file = source,
    .source = read_at_of_file (source),
  };
  struct image_view *view = NULL;
  int result;

  if (image_view_open (resume->image, decoding, NULL, &view, err) < 0)
    return -1;
  match.image = read_at_of_view (view);
  result = check_source (&match, view, layout, err);
  image_view_close (view);
  if (result == 0 && !resume->complete && resume->left == SOURCE_WHOLE)
    result = check_behind (&match, decoding, err);
  return result < 0 ? error_subject (err, source->name) : 0;
}

/* Whether LENGTH bytes of FILE at OFFSET are zeros, or those of SOURCE where
 * that has its prefix.  A file header that lies within one sector is there or
 * not; of one that does not there can be a part, which could be anything.
 */
static bool
is_head (const uint8_t *found, const uint8_t *wanted, size_t length,
         uint64_t offset, uint64_t prefix_bytes)
{
  bool torn = prefix_bytes % MARKER_SECTOR_BYTES >
    MARKER_SECTOR_BYTES - FILE_HEADER_BYTES;
  uint64_t end = prefix_bytes + (torn ? FILE_HEADER_BYTES : 0);
  size_t prefix = offset < prefix_bytes
    ? (size_t) minimum_u64 (length, prefix_bytes - offset) : 0;
  size_t skip = offset < end ? (size_t) minimum_u64 (length, end - offset) : 0;

  return is_lost (found, wanted, prefix) &&
    bytes_are_zero (found + skip, length - skip);
}

int
resume_is_bare_head (const struct file *file, const struct file *source,
                     uint64_t prefix_bytes, struct error *err)
{
  uint8_t found[PAGE_BYTES], wanted[PAGE_BYTES];
  uint64_t offset;

  for (offset = file_next_data (file, 0); offset < file->size;
       offset = file_next_data (file, offset)) {
    size_t length = (size_t) minimum_u64 (sizeof found, file->size - offset);
    size_t both = offset < source->size
      ? (size_t) minimum_u64 (length, source->size - offset) : 0;

    if (file_read_at (file, offset, found, length, err) < 0 ||
        file_read_at (source, offset, wanted, both, err) < 0)
      return -1;
    if (!is_head (found, wanted, length, offset, prefix_bytes))
      return 0;
    offset += length;
  }
  return 1;
}
