/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of a seekable image: records found through the index. */

#include <config.h>

#include "pipeline/record_intake.h"
#include "pipeline/slot_read.h"
#include "pipeline/stream_intake.h"

/* Records being read at a time. */
#define READ_DEPTH 6u

struct record_intake {
  struct image *image;
  uint64_t next;               /* entry to begin next */
  struct slot_reader *reader;
};

size_t
record_intake_room (uint32_t chunk_bytes)
{
  /* Aligned reads take up to a page more at either end. */
  return record_bytes_max (chunk_bytes) + 2 * PAGE_BYTES;
}

/* Leave the record to the worker if the page cache holds it, from file offset
 * START on.
 */
static bool
begin_cached (struct record_intake *intake, struct slot *slot,
              uint64_t start)
{
  uint64_t bytes = slot->entry.offset + slot->entry.record_bytes - start;
  uint64_t pages = divide_up (bytes, PAGE_BYTES);

  if (pages > PAGE_CACHE_PAGES_MAX)
    return false;
  /* The worker takes the map from the record itself. */
  memset (slot->window.map, 0xff, sizeof slot->window.map);
  return slot_reader_cached (intake->reader, slot, start, (uint32_t) pages,
                             slot->window.map);
}

static int
begin (void *opaque, struct slot *slot, struct error *err)
{
  struct record_intake *intake = opaque;
  struct image *image = intake->image;
  uint64_t start;

  (void) err;
  if (intake->next >= image->footer.record_count) {
    slot_reader_wind_down (intake->reader);
    return 0;
  }
  slot->entry = image->entries[intake->next++];
  slot->has_entry = true;
  slot->window.number = slot->entry.window;
  start = align_down (slot->entry.offset, PAGE_BYTES);
  slot->window.record = slot->packed + (slot->entry.offset - start);
  slot->window.record_bytes = slot->entry.record_bytes;
  if (!begin_cached (intake, slot, start))
    slot_reader_begin (intake->reader, slot, slot->packed, start,
                       slot->entry.offset + slot->entry.record_bytes);
  return 1;
}

static struct slot *
finish (void *opaque)
{
  struct record_intake *intake = opaque;

  return slot_reader_finish (intake->reader);
}

int
record_intake_run (struct image *image, bool cached, const struct job *job,
                   const struct sink *sink, const struct run_options *options,
                   struct error *err)
{
  struct record_intake records = { .image = image };
  struct intake intake = {
    .opaque = &records,
    .begin = begin,
    .finish = finish,
    .depth = READ_DEPTH,
  };
  struct stream_intake *stream = NULL;
  int result;

  if (image->file->stream) {
    result = stream_intake_open (image, &stream, err);
    if (result == 0)
      intake = stream_intake_face (stream);
  }
  else {
    result = slot_reader_open (image->file, cached ? SLOT_READ_ALL
                               : SLOT_READ_UNCACHED, &records.reader, err);
    if (result == 0)
      intake.read_fd = slot_reader_descriptor (records.reader);
  }
  if (result == 0)
    result = pipeline_run (&intake, job, sink, options, err);
  slot_reader_close (records.reader);
  stream_intake_close (stream);
  return result < 0 ? -1 : sink_complete (sink, err);
}
