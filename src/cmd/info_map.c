/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A drawing of an image: where its pages lie, how well they compressed. */

#include <config.h>

#include <stdio.h>

#include "cmd/info_report.h"
#include "util/size.h"

#define COLUMNS 64u
#define ROWS_MAX 32u

/* A stretch of windows. */
struct stretch {
  uint64_t pages;              /* present */
  uint64_t stored;             /* bytes of their records */
};

static struct stretch
sum_windows (const struct image *image, uint64_t first, uint64_t end)
{
  uint64_t i = image_find_window (image, first);
  struct stretch sum = { 0 };

  for (; i < image->footer.record_count && image->entries[i].window < end;
       i++) {
    sum.pages += image->entries[i].page_count;
    sum.stored += image->entries[i].record_bytes;
  }
  return sum;
}

/* The fuller the character, the less its pages gave way. */
static char
symbol (const struct stretch *stretch)
{
  static const char symbols[] = ".:-=+*%#";
  uint64_t raw = stretch->pages * PAGE_BYTES;
  uint64_t eighth;

  if (raw == 0)
    return ' ';
  eighth = stretch->stored * 8 / raw;
  return symbols[minimum_u64 (eighth, sizeof symbols - 2)];
}

static void
print_row (const struct image *image, uint64_t first, uint64_t per_cell)
{
  uint32_t chunk = image->header.chunk_bytes;
  uint64_t windows = window_count (image->header.source_bytes, chunk);
  uint64_t end = minimum_u64 (first + per_cell * COLUMNS, windows);
  struct stretch row = sum_windows (image, first, end);
  char line[COLUMNS + 1], text[SIZE_TEXT_BYTES];
  uint64_t cell;

  for (cell = 0; cell < COLUMNS; cell++) {
    uint64_t from = first + cell * per_cell;
    struct stretch stretch = sum_windows (image, from, from + per_cell);

    line[cell] = symbol (&stretch);
  }
  line[COLUMNS] = '\0';
  printf ("%10s |%s| %3.0f %%", size_format (first * chunk, text), line,
          100.0 * (double) (row.pages * PAGE_BYTES) /
          (double) ((end - first) * chunk));
  if (row.stored > 0)
    printf (" %7.1f",
            (double) (row.pages * PAGE_BYTES) / (double) row.stored);
  printf ("\n");
}

void
info_print_map (const struct image *image)
{
  uint32_t chunk = image->header.chunk_bytes;
  uint64_t windows = window_count (image->header.source_bytes, chunk);
  uint64_t per_cell = divide_up (windows, COLUMNS * ROWS_MAX);
  char text[SIZE_TEXT_BYTES];
  uint64_t first;

  if (windows == 0)
    return;
  printf ("\nEach character is %s of the source: blank where no page is "
          "present, from\n. (compressed to an eighth or less) to # "
          "(incompressible).\n\n%10s  %-*s  present   ratio\n",
          size_format (per_cell * chunk, text), "offset", (int) COLUMNS, "");
  for (first = 0; first < windows; first += per_cell * COLUMNS)
    print_row (image, first, per_cell);
}
