/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image becomes its source again in its own place (expand). */

#include <config.h>

#include <string.h>

#include "format/marker.h"
#include "io/file_copy.h"
#include "safety/expanding.h"
#include "image/source_layout.h"

void
expanding_init (struct expanding *expanding, struct file *file,
                struct file *head, struct image *aside)
{
  uint64_t prefix = aside->header.prefix_bytes;

  *expanding = (struct expanding) {
    .file = file,
    .head = head,
    .aside = aside,
    .marker_at = marker_expanding_offset (prefix),
    .sector_end = align_up (prefix + 1, MARKER_SECTOR_BYTES),
  };
  expanding->marker_end = align_up (expanding->marker_at + MARKER_BYTES,
                                    MARKER_SECTOR_BYTES);
  expanding->kept.from = align_down (prefix, PAGE_BYTES);
  expanding->kept.to = align_up (expanding->marker_end, PAGE_BYTES);
  expanding->kept.pages = expanding->pages;
  expanding->bytes = maximum_u64 (aside->header.source_bytes,
                                  expanding->kept.to);
  if (expanding->marker_at > prefix ||
      expanding->bytes > aside->header.source_bytes)
    expanding->second_at = align_up (expanding->bytes, MARKER_SECTOR_BYTES);
}

static uint64_t
prefix_bytes (const struct expanding *expanding)
{
  return expanding->aside->header.prefix_bytes;
}

/* Whether FILE is the image. */
static int
is_packed (const struct expanding *expanding, struct error *err)
{
  uint64_t offset = prefix_bytes (expanding);
  uint8_t bytes[FILE_HEADER_BYTES];
  struct file_header header;
  struct error invalid = { 0 };

  if (expanding->head->size < offset + sizeof bytes)
    return 0;
  if (file_read_at (expanding->head, offset, bytes, sizeof bytes, err) < 0)
    return -1;
  return file_header_decode (bytes, offset, &header, &invalid) == 0 &&
    memcmp (header.image_id, expanding->aside->header.image_id,
            IMAGE_ID_BYTES) == 0;
}

static void
make_marker (const struct expanding *expanding, uint8_t bytes[MARKER_BYTES])
{
  const struct file_header *header = &expanding->aside->header;
  struct marker marker = {
    .kind = MARKER_EXPANDING,
    .source_bytes = header->source_bytes,
  };

  memcpy (marker.image_id, header->image_id, IMAGE_ID_BYTES);
  marker_encode (&marker, bytes);
}

/* Whether the marker stands at OFFSET.  One without its magic is damaged, and
 * says what it said.
 */
static int
is_marked_at (const struct expanding *expanding, uint64_t offset,
              struct error *err)
{
  uint8_t bytes[MARKER_BYTES], expected[MARKER_BYTES];

  if (expanding->head->size < offset + sizeof bytes)
    return 0;
  if (file_read_at (expanding->head, offset, bytes, sizeof bytes, err) < 0)
    return -1;
  make_marker (expanding, expected);
  return memcmp (bytes + MARKER_MAGIC_BYTES, expected + MARKER_MAGIC_BYTES,
                 sizeof bytes - MARKER_MAGIC_BYTES) == 0;
}

/* Whether FILE is MARKED, or ALMOST. */
static int
is_marked (struct expanding *expanding, struct error *err)
{
  int found = is_marked_at (expanding, expanding->marker_at, err);

  if (found != 0 || expanding->second_at == 0)
    return found;
  found = is_marked_at (expanding, expanding->second_at, err);
  expanding->almost = found > 0;
  return found;
}

/* Whether FILE holds everything that comes out of the aside, on the disk: that
 * counts, not what the page cache believes.
 */
static int
is_done (const struct expanding *expanding, const struct read_at *view,
         struct error *err)
{
  struct read_at file = read_at_of_file (expanding->file);

  if (file.size != expanding->aside->header.source_bytes)
    return 0;
  if (file_sync (expanding->file, err) < 0)
    return -1;
  file_drop_cache (expanding->file, 0, 0);
  return read_at_same (&file, view, prefix_bytes (expanding), file.size, err);
}

int
expanding_look (struct expanding *expanding, struct image_view *view,
                enum expanding_state *state, struct error *err)
{
  struct read_at at = read_at_of_view (view);
  int found;

  *state = EXPANDING_PACKED;
  found = is_packed (expanding, err);
  if (found == 0) {
    *state = EXPANDING_MARKED;
    found = is_marked (expanding, err);
  }
  if (found == 0) {
    *state = EXPANDING_DONE;
    found = is_done (expanding, &at, err);
  }
  if (found == 0)
    *state = EXPANDING_FOREIGN;
  expanding->intact = *state == EXPANDING_PACKED;
  return found < 0 ? -1 : 0;
}

/* Write bytes of the aside over those of FILE. */
static int
copy_back (struct expanding *expanding, uint64_t offset, uint64_t end,
           struct error *err)
{
  uint8_t bytes[2 * PAGE_BYTES];

  if (file_read_at (expanding->aside->file, offset, bytes,
                    (size_t) (end - offset), err) < 0)
    return -1;
  return file_write_at (expanding->head, offset, bytes,
                        (size_t) (end - offset), err);
}

static int
write_marker (struct expanding *expanding, uint64_t offset, struct error *err)
{
  uint8_t bytes[MARKER_BYTES];

  make_marker (expanding, bytes);
  if (file_write_at (expanding->head, offset, bytes, sizeof bytes, err) < 0)
    return -1;
  return file_sync (expanding->head, err);
}

/* From whatever state: first away with QEMU's magic. */
int
expanding_mark (struct expanding *expanding, struct error *err)
{
  uint64_t prefix = prefix_bytes (expanding);

  if (expanding->marker_at > prefix &&
      (copy_back (expanding, prefix, expanding->sector_end, err) < 0 ||
       file_sync (expanding->head, err) < 0))
    return -1;
  if (write_marker (expanding, expanding->marker_at, err) < 0)
    return -1;
  expanding->marked = true;
  return 0;
}

int
expanding_open_sink (struct expanding *expanding, struct sink *sink,
                     struct error *err)
{
  expanding->intact = false;
  /* First smaller, so that all blocks are free before any is needed. */
  if (file_truncate (expanding->file, expanding->kept.to, err) < 0 ||
      file_truncate (expanding->file, expanding->bytes, err) < 0)
    return -1;
  return sparse_sink_open_behind (expanding->file, expanding->aside,
                                  &expanding->kept, sink, err);
}

/* Write what was kept of the source's bytes, and flush all. */
static int
write_kept (struct expanding *expanding, uint64_t offset, uint64_t end,
            struct error *err)
{
  if (file_write_at (expanding->head, offset,
                     expanding->pages + (offset - expanding->kept.from),
                     (size_t) (end - offset), err) < 0)
    return -1;
  return file_sync (expanding->head, err);
}

/* Pages of zeros that the image had bytes in are holes again.  It does not
 * matter when that fails.
 */
static void
punch_zeros (struct expanding *expanding)
{
  struct error ignored = { 0 };
  uint64_t offset = align_up (prefix_bytes (expanding), PAGE_BYTES);

  for (; offset < expanding->kept.to; offset += PAGE_BYTES)
    if (bytes_are_zero (expanding->pages + (offset - expanding->kept.from),
                        PAGE_BYTES))
      file_punch (expanding->file, offset, PAGE_BYTES, &ignored);
}

/* Make FILE ALMOST, but for the sector of the prefix's end. */
static int
move_marker (struct expanding *expanding, struct error *err)
{
  if (write_marker (expanding, expanding->second_at, err) < 0)
    return -1;
  if (expanding->marker_at == prefix_bytes (expanding))
    return 0;
  return write_kept (expanding, expanding->sector_end, expanding->marker_end,
                     err);
}

/* Cut off what stands behind the source's end. */
static int
trim (struct expanding *expanding, struct error *err)
{
  if (file_truncate (expanding->file, expanding->aside->header.source_bytes,
                     err) < 0)
    return -1;
  return file_sync (expanding->head, err);
}

int
expanding_finish (struct expanding *expanding, struct error *err)
{
  /* The last page was written whole. */
  if (file_truncate (expanding->file, expanding->bytes, err) < 0 ||
      write_kept (expanding, expanding->marker_end, expanding->kept.to,
                  err) < 0)
    return -1;
  expanding->marked = false;
  if (expanding->second_at > 0 && move_marker (expanding, err) < 0)
    return -1;
  if (write_kept (expanding, prefix_bytes (expanding), expanding->sector_end,
                  err) < 0)
    return -1;
  punch_zeros (expanding);
  return expanding->second_at > 0 ? trim (expanding, err) : 0;
}

int
expanding_finish_almost (struct expanding *expanding, struct image_view *view,
                         struct error *err)
{
  uint64_t from = prefix_bytes (expanding);
  uint64_t end = minimum_u64 (expanding->sector_end,
                              expanding->aside->header.source_bytes);

  if (image_view_read (view, from,
                       expanding->pages + (from - expanding->kept.from),
                       (size_t) (end - from), err) < 0 ||
      write_kept (expanding, from, end, err) < 0)
    return -1;
  return trim (expanding, err);
}

/* Take away a marker that may have been written. */
static int
take_marker_away (struct expanding *expanding, struct error *err)
{
  struct error useless = { 0 };

  /* A write that fails for want of room has changed nothing. */
  if (copy_back (expanding, expanding->marker_at, expanding->marker_end,
                 &useless) < 0 &&
      is_packed (expanding, err) <= 0) {
    *err = useless;
    return -1;
  }
  return file_sync (expanding->head, err);
}

int
expanding_roll_back (struct expanding *expanding, struct error *err)
{
  struct image *aside = expanding->aside;

  if (expanding->intact)
    return take_marker_away (expanding, err);
  if (!expanding->marked && expanding_mark (expanding, err) < 0)
    return -1;
  if (file_truncate (expanding->file, expanding->kept.to, err) < 0 ||
      file_copy (aside->file, expanding->file, expanding->kept.to,
                 aside->bytes, err) < 0 ||
      copy_back (expanding, expanding->marker_end, expanding->kept.to,
                 err) < 0 ||
      file_sync (expanding->head, err) < 0 ||
      copy_back (expanding, expanding->marker_at, expanding->marker_end,
                 err) < 0)
    return -1;
  return file_sync (expanding->head, err);
}
