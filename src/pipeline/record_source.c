/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of a seekable image: records found through the index. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "pipeline/record_source.h"
#include "pipeline/slot_read.h"
#include "pipeline/stream_source.h"

/* Records being read at a time. */
#define READ_DEPTH 6u

struct record_source {
  struct image *image;
  uint64_t next;               /* entry to begin next */
  struct slot_reader *reader;
  struct stream_source *stream;        /* instead, for a pipe */
};

int
record_source_open (struct image *image, bool cached,
                    struct record_source **source_out, struct error *err)
{
  struct record_source *source = calloc (1, sizeof *source);
  int result;

  if (source == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up reading");
  source->image = image;
  if (image->file->stream)
    result = stream_source_open (image, &source->stream, err);
  else
    result = slot_reader_open (image->file, cached ? SLOT_READ_ALL
                               : SLOT_READ_UNCACHED, &source->reader, err);
  if (result < 0) {
    record_source_close (source);
    return -1;
  }
  *source_out = source;
  return 0;
}

void
record_source_close (struct record_source *source)
{
  if (source == NULL)
    return;
  slot_reader_close (source->reader);
  stream_source_close (source->stream);
  free (source);
}

size_t
record_source_room (uint32_t chunk_bytes)
{
  /* Aligned reads take up to a page more at either end. */
  return record_bytes_max (chunk_bytes) + 2 * PAGE_BYTES;
}

/* Leave the record to the worker if the page cache holds it, from file offset
 * START on.
 */
static bool
begin_cached (struct record_source *source, struct slot *slot,
              uint64_t start)
{
  uint64_t bytes = slot->entry.offset + slot->entry.record_bytes - start;
  uint64_t pages = divide_up (bytes, PAGE_BYTES);

  if (pages > PAGE_CACHE_PAGES_MAX)
    return false;
  /* The worker takes the map from the record itself. */
  memset (slot->window.map, 0xff, sizeof slot->window.map);
  return slot_reader_cached (source->reader, slot, start, (uint32_t) pages,
                             slot->window.map);
}

static int
begin (void *opaque, struct slot *slot, struct error *err)
{
  struct record_source *source = opaque;
  struct image *image = source->image;
  uint64_t start;

  (void) err;
  if (source->next >= image->footer.record_count) {
    slot_reader_wind_down (source->reader);
    return 0;
  }
  slot->entry = image->entries[source->next++];
  slot->has_entry = true;
  slot->window.number = slot->entry.window;
  start = align_down (slot->entry.offset, PAGE_BYTES);
  slot->window.record = slot->packed + (slot->entry.offset - start);
  slot->window.record_bytes = slot->entry.record_bytes;
  if (!begin_cached (source, slot, start))
    slot_reader_begin (source->reader, slot, slot->packed, start,
                       slot->entry.offset + slot->entry.record_bytes);
  return 1;
}

static struct slot *
finish (void *opaque)
{
  struct record_source *source = opaque;

  return slot_reader_finish (source->reader);
}

struct source
record_source_face (struct record_source *source)
{
  if (source->stream != NULL)
    return stream_source_face (source->stream);
  return (struct source) {
    .opaque = source,
    .begin = begin,
    .finish = finish,
    .depth = READ_DEPTH,
  };
}
