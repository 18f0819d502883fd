/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One window of a source: its pages, and the record that they become. */

#ifndef IOPRESS_IMAGE_WINDOW_H
#define IOPRESS_IMAGE_WINDOW_H

#include "format/record.h"

/* Owns no memory, and knows of no thread: whoever has it sees to both. */
struct window {
  uint64_t number;             /* source offset = number * chunk_bytes */
  /* Which pages are present; bit N: page N. */
  uint8_t map[CHUNK_BYTES_MAX / PAGE_BYTES / 8];

  /* The present pages, one behind the other; room for chunk_bytes.  Before
   * window_gather they stand at their places.
   */
  uint8_t *pages;
  uint32_t page_count;         /* when gathered or decoded */

  uint8_t *record;             /* header, page map and payload */
  size_t record_bytes;         /* 0: no page is present, no record */
  struct record_header header; /* of it, when encoded or decoded */
};

/* Bring the pages FIRST to END - 1, which stand one behind the other at FROM,
 * to TO, at or before FROM.  Those that hold nothing are left out, and their
 * bits cleared; so are the bytes of the prefix, which restore takes from there:
 * both are zeros in the record.  HEADER is the image's; FROM is written to.
 * Returns where the next page goes.
 */
uint8_t *window_gather_run (struct window *window,
                            const struct file_header *header, uint8_t *from,
                            uint64_t first, uint64_t end, uint8_t *to);

/* The same for all pages of the map, from their places to the start of PAGES;
 * sets the count.
 */
void window_gather (struct window *window, const struct file_header *header);

/* The other way round: from the start of PAGES, which has room for chunk_bytes,
 * to their places.
 */
void window_scatter (struct window *window, uint32_t chunk_bytes);

/* Copy LENGTH bytes from offset FROM of the window, as it is in the source, to
 * BUFFER: zeros for what is not present.  FROM + LENGTH is chunk_bytes at most.
 */
void window_copy (const struct window *window, size_t from, uint8_t *buffer,
                  size_t length);

#endif /* IOPRESS_IMAGE_WINDOW_H */
