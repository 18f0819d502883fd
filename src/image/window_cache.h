/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Windows of an image for any number of threads: decoded as they are asked for,
 * some of them kept, and decoded ahead of those who read on.
 *
 * All memory for windows and records is there when the cache is open, so that
 * no read fails for want of it.  A thread that decodes holds what it needs for
 * that and waits for nothing but the file; one that has to wait, for a window
 * that is being decoded or because as many as may are decoding, holds nothing.
 */

#ifndef IOPRESS_IMAGE_WINDOW_CACHE_H
#define IOPRESS_IMAGE_WINDOW_CACHE_H

#include "image/decode.h"
#include "image/image.h"

struct window_cache;

struct window_cache_options {
  /* The most for windows and records, in bytes; what the codec takes for each
   * reader and helper comes on top.
   */
  uint64_t memory_bytes;
  /* How many threads may decode at a time for themselves, at least one.  There
   * are less, and less helpers, where they would take most of the memory.
   */
  unsigned int readers;
  /* Threads of the cache's own, that decode ahead of ascending reads. */
  unsigned int helpers;
};

/* The least memory_bytes for an image of CHUNK_BYTES. */
uint64_t window_cache_least (uint32_t chunk_bytes);

/* Open a cache for the windows of IMAGE, whose index is loaded; DECODING says
 * how to decode them.  Both stay the caller's and must not change.  OPTIONS is
 * NULL for the least memory, one reader and no helper.  Returns 0, or -1 with
 * ERR (ERROR_USAGE when memory_bytes is below the least).
 */
int window_cache_open (const struct image *image,
                       const struct decoding *decoding,
                       const struct window_cache_options *options,
                       struct window_cache **cache, struct error *err);

/* Wait for the helpers and free; NULL is ignored.  Nobody may be reading. */
void window_cache_close (struct window_cache *cache);

/* Copy LENGTH bytes from offset FROM of the window that entry number ENTRY of
 * the image's index names, as the source has them, but for zeros in the place
 * of the prefix.  Every byte of the record has been checked by then.  Any
 * thread.  Returns 0; or -1 with ERR, as decode_window and file_read_at, each
 * time anew: a record that cannot be used is not remembered, nor is BUFFER
 * changed.
 */
int window_cache_read (struct window_cache *cache, uint64_t entry,
                       size_t from, void *buffer, size_t length,
                       struct error *err);

#endif /* IOPRESS_IMAGE_WINDOW_CACHE_H */
