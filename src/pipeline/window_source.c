/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of save: windows of a source file that hold data. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "pipeline/slot_read.h"
#include "pipeline/window_source.h"

/* Windows being read at a time. */
#define READ_DEPTH 4u

struct window_source {
  struct file *file;
  struct source_need need;
  uint32_t chunk_bytes;
  uint64_t position;           /* everything before it has been begun */
  uint64_t every;              /* take one window in so many */
  uint64_t ordinal;            /* of the next window that holds data */
  struct slot_reader *reader;
};

int
window_source_open (struct file *file, const struct source_need *need,
                    uint32_t chunk_bytes, uint64_t start,
                    struct window_source **source_out, struct error *err)
{
  struct window_source *source = calloc (1, sizeof *source);

  if (source == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up reading");
  source->file = file;
  source->need = *need;
  source->chunk_bytes = chunk_bytes;
  source->position = start;
  source->every = 1;
  if (slot_reader_open (file, need->ram == NULL && !need->holes
                        ? SLOT_READ_DATA : SLOT_READ_ALL, &source->reader,
                        err) < 0) {
    window_source_close (source);
    return -1;
  }
  *source_out = source;
  return 0;
}

void
window_source_close (struct window_source *source)
{
  if (source == NULL)
    return;
  slot_reader_close (source->reader);
  free (source);
}

/* Go on to the next window that holds data; *WANTED is the first offset in it
 * that does.  Returns false at the end.
 */
static bool
next_window (struct window_source *source, uint64_t *wanted)
{
  struct read_at file = read_at_of_file (source->file);

  *wanted = source_need_next (&source->need, &file, source->position);
  if (*wanted >= source->file->size)
    return false;
  source->position = align_down (*wanted, source->chunk_bytes) +
    source->chunk_bytes;
  source->ordinal++;
  return true;
}

/* Whether the window just reached is the one to take of its stretch. */
static bool
sampled (const struct window_source *source)
{
  uint64_t ordinal = source->ordinal - 1;
  uint64_t stretch = ordinal / source->every;
  /* Knuth's multiplicative hash: any spread will do. */
  uint64_t place = (stretch * UINT64_C (0x9e3779b97f4a7c15)) >> 32;

  return ordinal % source->every == place % source->every;
}

uint64_t
window_source_count (struct window_source *source)
{
  uint64_t start = source->position, ordinal = source->ordinal, count, wanted;

  while (next_window (source, &wanted))
    ;
  count = source->ordinal - ordinal;
  source->position = start;
  source->ordinal = ordinal;
  return count;
}

void
window_source_sample (struct window_source *source, uint64_t every)
{
  source->every = maximum_u64 (every, 1);
}

/* Mark the pages of the slot's window that count, from page FIRST on.
 * Returns the number of the last one plus one.
 */
static uint32_t
map_window (const struct window_source *source, struct slot *slot,
            uint32_t first)
{
  uint32_t pages = window_pages (slot->window.number, source->file->size,
                                 source->chunk_bytes);
  uint32_t page;

  memset (slot->window.map, 0, page_map_bytes (source->chunk_bytes));
  for (page = first; page < pages; page++)
    bitmap_set (slot->window.map, page);
  if (source->need.ram != NULL && !source->need.exact)
    mapped_ram_mask (source->need.ram,
                     slot->window.number * source->chunk_bytes, pages,
                     slot->window.map);
  while (pages > first && !bitmap_test (slot->window.map, pages - 1))
    pages--;
  return pages;
}

static int
begin (void *opaque, struct slot *slot, struct error *err)
{
  struct window_source *source = opaque;
  uint64_t wanted, start;
  uint32_t first, end;

  (void) err;
  do
    if (!next_window (source, &wanted)) {
      slot_reader_wind_down (source->reader);
      return 0;
    }
  while (!sampled (source));
  slot->window.number = wanted / source->chunk_bytes;
  start = slot->window.number * source->chunk_bytes;
  first = (uint32_t) ((wanted - start) / PAGE_BYTES);
  end = map_window (source, slot, first);
  if (!slot_reader_cached (source->reader, slot, start, end, slot->window.map))
    slot_reader_begin (source->reader, slot,
                       slot->raw + (size_t) first * PAGE_BYTES, wanted,
                       minimum_u64 (start + (uint64_t) end * PAGE_BYTES,
                                    source->file->size));
  return 1;
}

static struct slot *
finish (void *opaque)
{
  struct window_source *source = opaque;
  struct slot *slot = slot_reader_finish (source->reader);
  struct aio_request *request = &slot->request;

  /* The last page of the file may be a part of one; zeros complete it. */
  if (slot->cache == NULL)
    memset ((uint8_t *) request->buffer + request->needed, 0,
            request->length - request->needed);
  return slot;
}

struct source
window_source_face (struct window_source *source)
{
  return (struct source) {
    .opaque = source,
    .begin = begin,
    .finish = finish,
    .depth = READ_DEPTH,
  };
}
