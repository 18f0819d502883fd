/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading an image as if it were its source, at any offset. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "pipeline/image_view.h"
#include "pipeline/record_source.h"

struct image_view {
  struct image *image;
  void *worker;
  struct slot slot;            /* holds the last window decoded */
  bool decoded;
};

int
image_view_open (struct image *image, const struct unpack *unpack,
                 struct image_view **view_out, struct error *err)
{
  struct image_view *view = calloc (1, sizeof *view);
  uint32_t chunk_bytes = image->header.chunk_bytes;

  if (view != NULL) {
    view->image = image;
    view->slot.raw = malloc (chunk_bytes);
    view->slot.packed_room = record_source_room (chunk_bytes);
    view->slot.packed = malloc (view->slot.packed_room);
  }
  if (view == NULL || view->slot.raw == NULL || view->slot.packed == NULL) {
    image_view_close (view);
    return error_set (err, ERROR_FAILED, ENOMEM, "cannot look into the image");
  }
  if (unpack_open (unpack, &view->worker, err) < 0) {
    image_view_close (view);
    return -1;
  }
  *view_out = view;
  return 0;
}

void
image_view_close (struct image_view *view)
{
  if (view == NULL)
    return;
  if (view->worker != NULL)
    unpack_close (view->worker);
  free (view->slot.raw);
  free (view->slot.packed);
  free (view);
}

/* Decode the record of ENTRY unless it is the one decoded last. */
static int
decode_window (struct image_view *view, const struct index_entry *entry,
               struct error *err)
{
  struct slot *slot = &view->slot;

  if (view->decoded && slot->window == entry->window)
    return 0;
  view->decoded = false;
  slot->window = entry->window;
  slot->entry = *entry;
  slot->has_entry = true;
  slot->record = slot->packed;
  slot->record_bytes = entry->record_bytes;
  slot->error = (struct error) { 0 };
  if (file_read_at (view->image->file, entry->offset, slot->record,
                    slot->record_bytes, err) < 0)
    return -1;
  unpack_slot (view->worker, slot);
  if (slot->error.kind != ERROR_NONE) {
    *err = slot->error;
    return -1;
  }
  view->decoded = true;
  return 0;
}

/* Copy LENGTH bytes at offset FROM within the decoded window; pages that are
 * not present are zeros.
 */
static void
copy_from_window (const struct slot *slot, size_t from, uint8_t *buffer,
                  size_t length)
{
  while (length > 0) {
    size_t page = from / PAGE_BYTES, skip = from % PAGE_BYTES;
    size_t part = (size_t) minimum_u64 (length, PAGE_BYTES - skip);

    if (bitmap_test (slot->map, page))
      memcpy (buffer, slot->raw + skip +
              bitmap_count (slot->map, 0, page) * PAGE_BYTES, part);
    else
      memset (buffer, 0, part);
    buffer += part;
    from += part;
    length -= part;
  }
}

static int
read_view (void *opaque, uint64_t offset, void *buffer_out, size_t length,
           struct error *err)
{
  struct image_view *view = opaque;
  const struct image *image = view->image;
  uint32_t chunk_bytes = image->header.chunk_bytes;
  uint8_t *buffer = buffer_out;
  uint64_t end;

  if (!add_u64 (offset, length, &end) || end > image->header.source_bytes)
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "the source ends before byte %llu",
                      (unsigned long long) end);
  while (length > 0) {
    uint64_t window = offset / chunk_bytes;
    size_t from = (size_t) (offset % chunk_bytes);
    size_t part = (size_t) minimum_u64 (length, chunk_bytes - from);
    uint64_t number = image_find_window (image, window);

    if (number < image->footer.record_count &&
        image->entries[number].window == window) {
      if (decode_window (view, &image->entries[number], err) < 0)
        return -1;
      copy_from_window (&view->slot, from, buffer, part);
    }
    else
      memset (buffer, 0, part);
    buffer += part;
    offset += part;
    length -= part;
  }
  return 0;
}

static uint64_t
next_data (void *opaque, uint64_t offset)
{
  struct image_view *view = opaque;
  const struct image *image = view->image;
  uint32_t chunk_bytes = image->header.chunk_bytes;
  uint64_t number = image_find_window (image, offset / chunk_bytes);

  if (number >= image->footer.record_count)
    return image->header.source_bytes;
  return maximum_u64 (offset, image->entries[number].window * chunk_bytes);
}

struct read_at
read_at_of_view (struct image_view *view)
{
  return (struct read_at) {
    .read = read_view,
    .next_data = next_data,
    .opaque = view,
    .size = view->image->header.source_bytes,
  };
}
