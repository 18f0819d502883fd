/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writer of restore to what has no holes: absent pages become zeros. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "pipeline/page_sink.h"
#include "util/size.h"

struct dense_sink {
  const struct image *image;
  struct writer *writer;
};

/* Refuse an output that can never hold BYTES before anything there is lost. */
static int
check_room (const struct file *output, uint64_t bytes, struct error *err)
{
  char room[SIZE_TEXT_BYTES], needed[SIZE_TEXT_BYTES];
  uint64_t limit = file_size_limit (output);

  if (output->stream || limit >= bytes)
    return 0;
  return error_about (err, ERROR_FAILED, output->regular ? EFBIG : ENOSPC,
                      output->name, "has room for %s of the %s needed",
                      size_format (limit, room), size_format (bytes, needed));
}

/* Zeros up to source offset END, with the prefix where it belongs. */
static int
fill_to (struct dense_sink *sink, uint64_t end, struct error *err)
{
  const struct file_header *header = &sink->image->header;
  uint64_t position = writer_offset (sink->writer);

  if (position < header->prefix_bytes && position < end) {
    uint64_t stop = minimum_u64 (header->prefix_bytes, end);

    if (writer_append (sink->writer, sink->image->prefix + position,
                       (size_t) (stop - position), err) < 0)
      return -1;
    position = stop;
  }
  return position < end
    ? writer_append_zeros (sink->writer, end - position, err) : 0;
}

static int
begin (void *opaque, struct slot *slot, struct error *err)
{
  struct dense_sink *sink = opaque;
  const struct file_header *header = &sink->image->header;
  uint64_t pages = header->chunk_bytes / PAGE_BYTES;
  uint64_t start = slot->window.number * header->chunk_bytes;
  uint64_t first = bitmap_next_set (slot->window.map, 0, pages);
  const uint8_t *raw = slot->window.pages;

  while (first < pages) {
    uint64_t end = bitmap_next_clear (slot->window.map, first, pages);
    uint64_t offset = start + first * PAGE_BYTES;
    uint64_t length = minimum_u64 ((end - first) * PAGE_BYTES,
                                   header->source_bytes - offset);

    if (fill_to (sink, offset, err) < 0 ||
        writer_append (sink->writer, raw, (size_t) length, err) < 0)
      return -1;
    raw += length;
    first = bitmap_next_set (slot->window.map, end, pages);
  }
  return SINK_DONE;
}

static int
complete (void *opaque, struct error *err)
{
  struct dense_sink *sink = opaque;

  if (fill_to (sink, sink->image->header.source_bytes, err) < 0)
    return -1;
  return writer_finish (sink->writer, err);
}

static void
close_sink (void *opaque)
{
  struct dense_sink *sink = opaque;

  writer_close (sink->writer);
  free (sink);
}

int
dense_sink_open (struct file *output, const struct image *image,
                 struct sink *sink_out, struct error *err)
{
  struct dense_sink *sink;

  if (check_room (output, image->header.source_bytes, err) < 0)
    return -1;
  sink = calloc (1, sizeof *sink);
  if (sink == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up writing");
  sink->image = image;
  if (writer_open (output, 0, &sink->writer, err) < 0 ||
      writer_sync_early (sink->writer, err) < 0) {
    close_sink (sink);
    return -1;
  }
  *sink_out = (struct sink) {
    .opaque = sink,
    .begin = begin,
    .complete = complete,
    .close = close_sink,
  };
  return 0;
}
