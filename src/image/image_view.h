/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading an image as if it were its source, at any offset. */

#ifndef IOPRESS_IMAGE_IMAGE_VIEW_H
#define IOPRESS_IMAGE_IMAGE_VIEW_H

#include "image/window_cache.h"
#include "util/read_at.h"

struct image_view;

/* A view of IMAGE, whose index is loaded: its prefix as IMAGE has it, behind it
 * what the records hold, zeros where there is none.  DECODING, OPTIONS (or
 * NULL) and what becomes of a record that cannot be used: see window_cache_open
 * and window_cache_read.  IMAGE and DECODING stay the caller's.  Returns 0, or
 * -1 with ERR.
 */
int image_view_open (const struct image *image,
                     const struct decoding *decoding,
                     const struct window_cache_options *options,
                     struct image_view **view, struct error *err);

/* Free; NULL is ignored.  Nobody may be reading. */
void image_view_close (struct image_view *view);

/* Read LENGTH bytes at OFFSET of the source.  Any thread.  Returns 0; or -1
 * with ERR, and BUFFER is undefined: ERROR_BAD_INPUT for a record that cannot
 * be used and for bytes behind the end of the source.
 */
int image_view_read (struct image_view *view, uint64_t offset, void *buffer,
                     size_t length, struct error *err);

/* What a reader may keep of a view: the page bitmaps of 32 TiB of memory, in
 * pages of 4 KiB, every bit set.
 */
#define VIEW_KEPT_BYTES_MAX (UINT64_C (1) << 30)

/* The view's read-at face.  Any thread. */
struct read_at read_at_of_view (struct image_view *view);

#endif /* IOPRESS_IMAGE_IMAGE_VIEW_H */
