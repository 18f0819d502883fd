/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is missing of a damaged image when its records have been unpacked. */

#include <config.h>

#include "image/image_view.h"
#include "salvage/salvage_private.h"

/* The image's view, which knows no missing windows. */
struct whole_view {
  const struct salvage *salvage;
  struct read_at at;
};

static int
read_whole (void *opaque, uint64_t offset, void *buffer, size_t length,
            struct error *err)
{
  struct whole_view *view = opaque;

  if (salvage_range_missing (view->salvage, offset, length))
    return error_set (err, ERROR_BAD_INPUT, 0, "missing");
  return view->at.read (view->at.opaque, offset, buffer, length, err);
}

static uint64_t
next_whole (void *opaque, uint64_t offset)
{
  struct whole_view *view = opaque;
  uint64_t chunk = view->salvage->image.header.chunk_bytes;
  uint64_t next = view->at.next_data (view->at.opaque, offset);
  size_t gap = salvage_gap_at (view->salvage, offset / chunk);

  /* A missing window is not a hole: reading it must fail. */
  if (gap == view->salvage->gap_count)
    return next;
  return minimum_u64 (next, maximum_u64 (offset, view->salvage->gaps[gap].first
                                         * chunk));
}

/* Parse QEMU's stream as far as its description came back whole. */
static void
parse_ram (struct salvage *salvage, const struct decoding *decoding)
{
  struct image *image = &salvage->image;
  struct whole_view whole = { .salvage = salvage };
  struct read_at at = {
    .read = read_whole,
    .next_data = next_whole,
    .opaque = &whole,
    .size = image->header.source_bytes,
    .kept_bytes_max = VIEW_KEPT_BYTES_MAX,
  };
  struct image_view *view = NULL;
  struct error unknown = { 0 };
  enum stream_kind kind = STREAM_NONE;

  if (image_view_open (image, decoding, NULL, &view, &unknown) < 0)
    return;
  whole.at = read_at_of_view (view);
  if (mapped_ram_probe (&at, image->header.prefix_bytes, &kind,
                        &unknown) == 0 && kind == STREAM_MAPPED_RAM) {
    salvage->ram = mapped_ram_parse_partly (&at, image->header.prefix_bytes);
    image->header.kind = IMAGE_MAPPED_RAM;
  }
  image_view_close (view);
}

int
salvage_settle (struct salvage *salvage, const struct decoding *decoding,
                const uint64_t *lost, size_t count, struct error *err)
{
  bool exact = (salvage->image.header.compatible & FEATURE_EXACT) != 0;

  if (salvage_lose_windows (salvage, lost, count, err) < 0)
    return -1;
  parse_ram (salvage, decoding);
  return salvage->ram != NULL && salvage->header_found && !exact
    ? salvage_drop_absent (salvage, err) : 0;
}
