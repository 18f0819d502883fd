/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of save: windows of a source file that hold data. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "pipeline/slot_read.h"
#include "pipeline/window_intake.h"

/* Windows being read at a time. */
#define READ_DEPTH 4u

struct window_intake {
  struct file *file;
  struct intake_need need;
  uint32_t chunk_bytes;
  uint64_t position;           /* everything before it has been started */
  uint64_t every;              /* take one window in so many */
  uint64_t ordinal;            /* of the next window that holds data */
  struct slot_reader *reader;
};

int
window_intake_open (struct file *file, const struct intake_need *need,
                    uint32_t chunk_bytes, uint64_t start,
                    struct window_intake **intake_out, struct error *err)
{
  struct window_intake *intake = calloc (1, sizeof *intake);

  if (intake == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up reading");
  intake->file = file;
  intake->need = *need;
  intake->chunk_bytes = chunk_bytes;
  intake->position = start;
  intake->every = 1;
  if (slot_reader_open (file, need->ram == NULL && !need->holes
                        ? SLOT_READ_DATA : SLOT_READ_ALL, &intake->reader,
                        err) < 0) {
    window_intake_close (intake);
    return -1;
  }
  *intake_out = intake;
  return 0;
}

void
window_intake_close (struct window_intake *intake)
{
  if (intake == NULL)
    return;
  slot_reader_close (intake->reader);
  free (intake);
}

/* Go on to the next window that holds data; *WANTED is the first offset in it
 * that does.  Returns false at the end.
 */
static bool
next_window (struct window_intake *intake, uint64_t *wanted)
{
  struct read_at file = read_at_of_file (intake->file);

  *wanted = intake_need_next (&intake->need, &file, intake->position);
  if (*wanted >= intake->file->size)
    return false;
  intake->position = align_down (*wanted, intake->chunk_bytes) +
    intake->chunk_bytes;
  intake->ordinal++;
  return true;
}

/* Whether the window just reached is the one to take of its stretch. */
static bool
sampled (const struct window_intake *intake)
{
  uint64_t ordinal = intake->ordinal - 1;
  uint64_t stretch = ordinal / intake->every;
  /* Knuth's multiplicative hash: any spread will do. */
  uint64_t place = (stretch * UINT64_C (0x9e3779b97f4a7c15)) >> 32;

  return ordinal % intake->every == place % intake->every;
}

uint64_t
window_intake_count (struct window_intake *intake)
{
  uint64_t start = intake->position, ordinal = intake->ordinal, count, wanted;

  while (next_window (intake, &wanted))
    ;
  count = intake->ordinal - ordinal;
  intake->position = start;
  intake->ordinal = ordinal;
  return count;
}

void
window_intake_sample (struct window_intake *intake, uint64_t every)
{
  intake->every = maximum_u64 (every, 1);
}

/* Mark the pages of the slot's window that count, from page FIRST on.
 * Returns the number of the last one plus one.
 */
static uint32_t
map_window (const struct window_intake *intake, struct slot *slot,
            uint32_t first)
{
  uint32_t pages = window_pages (slot->window.number, intake->file->size,
                                 intake->chunk_bytes);
  uint32_t page;

  memset (slot->window.map, 0, page_map_bytes (intake->chunk_bytes));
  for (page = first; page < pages; page++)
    bitmap_set (slot->window.map, page);
  if (intake->need.ram != NULL && !intake->need.exact)
    mapped_ram_mask (intake->need.ram,
                     slot->window.number * intake->chunk_bytes, pages,
                     slot->window.map);
  while (pages > first && !bitmap_test (slot->window.map, pages - 1))
    pages--;
  return pages;
}

static int
begin (void *opaque, struct slot *slot, struct error *err)
{
  struct window_intake *intake = opaque;
  uint64_t wanted, start;
  uint32_t first, end;

  (void) err;
  do
    if (!next_window (intake, &wanted)) {
      slot_reader_wind_down (intake->reader);
      return 0;
    }
  while (!sampled (intake));
  slot->window.number = wanted / intake->chunk_bytes;
  start = slot->window.number * intake->chunk_bytes;
  first = (uint32_t) ((wanted - start) / PAGE_BYTES);
  end = map_window (intake, slot, first);
  if (!slot_reader_cached (intake->reader, slot, start, end, slot->window.map))
    slot_reader_begin (intake->reader, slot,
                       slot->raw + (size_t) first * PAGE_BYTES, wanted,
                       minimum_u64 (start + (uint64_t) end * PAGE_BYTES,
                                    intake->file->size));
  return 1;
}

static struct slot *
finish (void *opaque)
{
  struct window_intake *intake = opaque;
  struct slot *slot = slot_reader_finish (intake->reader);
  struct aio_request *request = &slot->request;

  /* The last page of the file may be a part of one; zeros complete it. */
  if (slot->cache == NULL)
    memset ((uint8_t *) request->buffer + request->needed, 0,
            request->length - request->needed);
  return slot;
}

struct intake
window_intake_face (struct window_intake *intake)
{
  return (struct intake) {
    .opaque = intake,
    .begin = begin,
    .finish = finish,
    .depth = READ_DEPTH,
    .read_fd = slot_reader_descriptor (intake->reader),
  };
}
