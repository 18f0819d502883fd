/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A drawing of an image: where its pages lie, how well they compressed. */

#include <config.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/info_report.h"
#include "cmd/terminal.h"
#include "util/size.h"

#define CELLS_MAX 64u
#define CELLS_MIN 16u          /* with figures beside them */
#define CELLS_UNIT 8u
#define ROWS_MAX 32u
#define LEGEND_COLUMNS_MAX 78u

/* Characters around the cells. */
#define FRAME_COLUMNS 2u       /* || */
#define OFFSET_COLUMNS 11u
#define FIGURE_COLUMNS 14u

#define ESCAPE_RESET "\033[0m"

/* The fuller the character, the less its pages gave way; with the colours of
 * SGR sequences from green to red.
 */
static const char symbols[] = ".:-=+*%#";
static const unsigned char symbol_colours[] = {
  32, 32, 36, 36, 33, 33, 31, 31
};

/* What goes where. */
struct drawing {
  const struct image *image;
  uint64_t windows;
  uint64_t per_cell;           /* windows */
  unsigned int cells;          /* of a row */
  size_t columns;              /* for the legend */
  bool offsets, figures;       /* what is left and right of the cells */
  bool colours;
};

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

static char
symbol (const struct stretch *stretch)
{
  uint64_t raw = stretch->pages * PAGE_BYTES;
  uint64_t eighth;

  if (raw == 0)
    return ' ';
  eighth = stretch->stored * 8 / raw;
  return symbols[minimum_u64 (eighth, sizeof symbols - 2)];
}

/* What makes SHOWN's colour, or 0: that of the terminal. */
static unsigned char
colour_of (const struct drawing *drawing, char shown)
{
  const char *found = shown == '\0' ? NULL : strchr (symbols, shown);

  return found != NULL && drawing->colours
    ? symbol_colours[found - symbols] : 0;
}

static void
print_cells (const struct drawing *drawing, uint64_t first)
{
  unsigned char colour = 0;
  unsigned int i;

  for (i = 0; i < drawing->cells; i++, first += drawing->per_cell) {
    struct stretch stretch = sum_windows (drawing->image, first,
                                          first + drawing->per_cell);
    char shown = symbol (&stretch);
    unsigned char wanted = shown == ' ' ? colour : colour_of (drawing, shown);

    if (wanted != colour)
      printf ("\033[%um", wanted);
    colour = wanted;
    putchar (shown);
  }
  if (colour != 0)
    fputs (ESCAPE_RESET, stdout);
}

static void
print_figures (const struct drawing *drawing, uint64_t first)
{
  uint64_t end = minimum_u64 (first + drawing->per_cell * drawing->cells,
                              drawing->windows);
  struct stretch row = sum_windows (drawing->image, first, end);
  double bytes = (double) (row.pages * PAGE_BYTES);

  printf (" %3.0f %%", 100 * bytes / ((double) (end - first) *
                                      drawing->image->header.chunk_bytes));
  if (row.stored > 0)
    printf (" %7.1f", bytes / (double) row.stored);
}

static void
print_row (const struct drawing *drawing, uint64_t first)
{
  char text[SIZE_TEXT_BYTES];

  if (drawing->offsets)
    printf ("%10s ", size_format (first * drawing->image->header.chunk_bytes,
                                  text));
  putchar ('|');
  print_cells (drawing, first);
  putchar ('|');
  if (drawing->figures)
    print_figures (drawing, first);
  putchar ('\n');
}

/* Where there is no terminal everything is shown. */
static struct drawing
lay_out (const struct image *image)
{
  size_t all = OFFSET_COLUMNS + FRAME_COLUMNS + CELLS_MAX + FIGURE_COLUMNS;
  size_t columns = terminal_columns (STDOUT_FILENO, all);
  size_t room = columns > FRAME_COLUMNS ? columns - FRAME_COLUMNS : 1;
  struct drawing drawing = {
    .image = image,
    .windows = window_count (image->header.source_bytes,
                             image->header.chunk_bytes),
    .columns = (size_t) minimum_u64 (columns, LEGEND_COLUMNS_MAX),
    .colours = terminal_has_colours (STDOUT_FILENO),
  };

  drawing.offsets = room >= OFFSET_COLUMNS + CELLS_UNIT;
  room -= drawing.offsets ? OFFSET_COLUMNS : 0;
  drawing.figures = room >= FIGURE_COLUMNS + CELLS_MIN;
  room -= drawing.figures ? FIGURE_COLUMNS : 0;
  room -= room > CELLS_UNIT ? room % CELLS_UNIT : 0;
  drawing.cells = (unsigned int) minimum_u64 (room, CELLS_MAX);
  drawing.per_cell = divide_up (drawing.windows,
                                (uint64_t) drawing.cells * ROWS_MAX);
  return drawing;
}

/* A symbol that stands alone has its colour. */
static void
print_word (const struct drawing *drawing, const char *word, size_t length)
{
  unsigned char colour = length == 1 ? colour_of (drawing, word[0]) : 0;

  if (colour != 0)
    printf ("\033[%um", colour);
  fwrite (word, 1, length, stdout);
  if (colour != 0)
    fputs (ESCAPE_RESET, stdout);
}

/* Print TEXT, words with a space in between, in lines that fit. */
static void
print_legend (const struct drawing *drawing, const char *text)
{
  size_t used = 0;

  while (*text != '\0') {
    size_t length = strcspn (text, " ");

    if (used > 0) {
      bool fits = used + 1 + length <= drawing->columns;

      putchar (fits ? ' ' : '\n');
      used = fits ? used + 1 : 0;
    }
    print_word (drawing, text, length);
    used += length;
    text += length;
    text += strspn (text, " ");
  }
  fputs ("\n\n", stdout);
}

void
info_print_map (const struct image *image)
{
  struct drawing drawing = lay_out (image);
  char text[256], size[SIZE_TEXT_BYTES];
  uint64_t first;

  if (drawing.windows == 0)
    return;
  snprintf (text, sizeof text, "Each character is %s of the source: blank "
            "where no page is present, from . (compressed to an eighth or "
            "less) to # (incompressible).",
            size_format (drawing.per_cell * image->header.chunk_bytes, size));
  putchar ('\n');
  print_legend (&drawing, text);
  if (drawing.figures)
    printf ("%10s  %-*s  present   ratio\n", "offset", (int) drawing.cells,
            "");
  for (first = 0; first < drawing.windows;
       first += drawing.per_cell * drawing.cells)
    print_row (&drawing, first);
}
