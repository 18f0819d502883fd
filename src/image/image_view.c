/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading an image as if it were its source, at any offset. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "image/image_view.h"

struct image_view {
  const struct image *image;
  struct window_cache *windows;
};

int
image_view_open (const struct image *image, const struct decoding *decoding,
                 const struct window_cache_options *options,
                 struct image_view **view_out, struct error *err)
{
  struct image_view *view = calloc (1, sizeof *view);

  if (view == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot look into the image");
  view->image = image;
  if (window_cache_open (image, decoding, options, &view->windows, err) < 0) {
    free (view);
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
  window_cache_close (view->windows);
  free (view);
}

/* Read what lies within one window. */
static int
read_window (struct image_view *view, uint64_t offset, uint8_t *buffer,
             size_t length, struct error *err)
{
  const struct image *image = view->image;
  uint32_t chunk_bytes = image->header.chunk_bytes;
  uint64_t window = offset / chunk_bytes;
  uint64_t entry = image_find_window (image, window);

  if (entry < image->footer.record_count &&
      image->entries[entry].window == window)
    return window_cache_read (view->windows, entry,
                              (size_t) (offset % chunk_bytes), buffer, length,
                              err);
  memset (buffer, 0, length);
  return 0;
}

int
image_view_read (struct image_view *view, uint64_t offset, void *buffer,
                 size_t length, struct error *err)
{
  const struct file_header *header = &view->image->header;
  uint8_t *to = buffer;
  uint64_t end;

  if (!add_u64 (offset, length, &end) || end > header->source_bytes)
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "the source ends before byte %llu",
                      (unsigned long long) end);
  while (length > 0) {
    uint64_t rest = header->chunk_bytes - offset % header->chunk_bytes;
    size_t part;

    if (offset < header->prefix_bytes) {
      part = (size_t) minimum_u64 (length, header->prefix_bytes - offset);
      memcpy (to, view->image->prefix + offset, part);
    }
    else {
      part = (size_t) minimum_u64 (length, rest);
      if (read_window (view, offset, to, part, err) < 0)
        return -1;
    }
    to += part;
    offset += part;
    length -= part;
  }
  return 0;
}

static int
read_view (void *opaque, uint64_t offset, void *buffer, size_t length,
           struct error *err)
{
  return image_view_read (opaque, offset, buffer, length, err);
}

static uint64_t
next_data (void *opaque, uint64_t offset)
{
  struct image_view *view = opaque;
  const struct image *image = view->image;
  uint32_t chunk_bytes = image->header.chunk_bytes;
  uint64_t entry = image_find_window (image, offset / chunk_bytes);

  if (offset < image->header.prefix_bytes)
    return offset;
  if (entry >= image->footer.record_count)
    return image->header.source_bytes;
  return maximum_u64 (offset, image->entries[entry].window * chunk_bytes);
}

struct read_at
read_at_of_view (struct image_view *view)
{
  return (struct read_at) {
    .read = read_view,
    .next_data = next_data,
    .opaque = view,
    .size = view->image->header.source_bytes,
    .kept_bytes_max = VIEW_KEPT_BYTES_MAX,
  };
}
