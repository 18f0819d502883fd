/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One window of a source: its pages, and the record that they become. */

#include <config.h>

#include "image/window.h"

/* Zero what belongs to the prefix of the page at source offset OFFSET. */
static void
clear_prefix (const struct file_header *header, uint64_t offset,
              uint8_t *bytes)
{
  if (offset < header->prefix_bytes)
    memset (bytes, 0, (size_t) minimum_u64 (header->prefix_bytes - offset,
                                            PAGE_BYTES));
}

uint8_t *
window_gather_run (struct window *window, const struct file_header *header,
                   uint8_t *from, uint64_t first, uint64_t end, uint8_t *to)
{
  uint64_t start = window->number * header->chunk_bytes;
  uint64_t page;

  for (page = first; page < end; page++, from += PAGE_BYTES) {
    clear_prefix (header, start + page * PAGE_BYTES, from);
    if (bytes_are_zero (from, PAGE_BYTES)) {
      bitmap_clear (window->map, page);
      continue;
    }
    if (to != from)
      memcpy (to, from, PAGE_BYTES);
    to += PAGE_BYTES;
  }
  return to;
}

void
window_gather (struct window *window, const struct file_header *header)
{
  uint64_t pages = header->chunk_bytes / PAGE_BYTES;
  uint64_t first = bitmap_next_set (window->map, 0, pages);
  uint8_t *to = window->pages;

  while (first < pages) {
    uint64_t end = bitmap_next_clear (window->map, first, pages);

    to = window_gather_run (window, header,
                            window->pages + first * PAGE_BYTES, first, end,
                            to);
    first = bitmap_next_set (window->map, end, pages);
  }
  window->page_count = (uint32_t) ((size_t) (to - window->pages) /
                                   PAGE_BYTES);
}

void
window_scatter (struct window *window, uint32_t chunk_bytes)
{
  uint64_t page = chunk_bytes / PAGE_BYTES;
  uint64_t from = window->page_count;

  /* From the end, so that none is overwritten before it has moved. */
  while (page-- > 0)
    if (bitmap_test (window->map, page) && --from != page)
      memmove (window->pages + page * PAGE_BYTES,
               window->pages + from * PAGE_BYTES, PAGE_BYTES);
}

void
window_copy (const struct window *window, size_t from, uint8_t *buffer,
             size_t length)
{
  uint64_t before = bitmap_count (window->map, 0, from / PAGE_BYTES);
  const uint8_t *page = window->pages + before * PAGE_BYTES;

  while (length > 0) {
    size_t skip = from % PAGE_BYTES;
    size_t part = (size_t) minimum_u64 (length, PAGE_BYTES - skip);

    if (bitmap_test (window->map, from / PAGE_BYTES)) {
      memcpy (buffer, page + skip, part);
      page += PAGE_BYTES;
    }
    else
      memset (buffer, 0, part);
    buffer += part;
    from += part;
    length -= part;
  }
}
