/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the record of each window is. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "mount/record_table.h"

#define STRETCH_WINDOWS 32u

struct place {
  uint64_t offset;
  uint64_t header_checksum;
  uint32_t record_bytes;       /* 0: no record */
  uint32_t page_count;
};

/* Windows that follow each other. */
struct stretch {
  uint64_t number;             /* window / STRETCH_WINDOWS */
  struct place places[STRETCH_WINDOWS];
};

/* The first stretch with NUMBER or a higher one. */
static size_t
find_stretch (const struct record_table *table, uint64_t number)
{
  size_t low = 0, high = table->stretch_count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;

    if (table->stretches[middle]->number < number)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* The place of WINDOW, or NULL where none was prepared. */
static struct place *
find_place (const struct record_table *table, uint64_t window)
{
  size_t i = find_stretch (table, window / STRETCH_WINDOWS);

  if (i == table->stretch_count ||
      table->stretches[i]->number != window / STRETCH_WINDOWS)
    return NULL;
  return &table->stretches[i]->places[window % STRETCH_WINDOWS];
}

static void
entry_of (uint64_t window, const struct place *place,
          struct index_entry *entry)
{
  *entry = (struct index_entry) {
    .window = window,
    .offset = place->offset,
    .record_bytes = place->record_bytes,
    .page_count = place->page_count,
    .header_checksum = place->header_checksum,
  };
}

bool
record_table_find (const struct record_table *table, uint64_t window,
                   struct index_entry *entry)
{
  const struct place *place = find_place (table, window);

  if (place == NULL || place->record_bytes == 0)
    return false;
  entry_of (window, place, entry);
  return true;
}

bool
record_table_next (const struct record_table *table, uint64_t window,
                   struct index_entry *entry)
{
  size_t i = find_stretch (table, window / STRETCH_WINDOWS);

  for (; i < table->stretch_count; i++) {
    const struct stretch *stretch = table->stretches[i];
    uint64_t first = stretch->number * STRETCH_WINDOWS, j;

    for (j = maximum_u64 (first, window) - first; j < STRETCH_WINDOWS; j++)
      if (stretch->places[j].record_bytes != 0) {
        entry_of (first + j, &stretch->places[j], entry);
        return true;
      }
  }
  return false;
}

static int
make_room (struct record_table *table)
{
  size_t room = table->room != 0 ? 2 * table->room : 64;
  struct stretch **stretches;

  if (table->stretch_count < table->room)
    return 0;
  stretches = realloc (table->stretches, room * sizeof *stretches);
  if (stretches == NULL)
    return ENOMEM;
  table->stretches = stretches;
  table->room = room;
  return 0;
}

int
record_table_prepare (struct record_table *table, uint64_t window)
{
  size_t i = find_stretch (table, window / STRETCH_WINDOWS);
  struct stretch *stretch;

  if (find_place (table, window) != NULL)
    return 0;
  stretch = calloc (1, sizeof *stretch);
  if (stretch == NULL || make_room (table) != 0) {
    free (stretch);
    return ENOMEM;
  }
  stretch->number = window / STRETCH_WINDOWS;
  memmove (table->stretches + i + 1, table->stretches + i,
           (table->stretch_count - i) * sizeof *table->stretches);
  table->stretches[i] = stretch;
  table->stretch_count++;
  return 0;
}

void
record_table_set (struct record_table *table, const struct index_entry *entry)
{
  struct place *place = find_place (table, entry->window);

  if (place->record_bytes == 0)
    table->count++;
  *place = (struct place) {
    .offset = entry->offset,
    .header_checksum = entry->header_checksum,
    .record_bytes = entry->record_bytes,
    .page_count = entry->page_count,
  };
}

void
record_table_remove (struct record_table *table, uint64_t window)
{
  struct place *place = find_place (table, window);

  if (place == NULL || place->record_bytes == 0)
    return;
  place->record_bytes = 0;
  table->count--;
}

void
record_table_clear (struct record_table *table)
{
  size_t i;

  for (i = 0; i < table->stretch_count; i++)
    free (table->stretches[i]);
  free (table->stretches);
  *table = (struct record_table) { 0 };
}
