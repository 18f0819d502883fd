/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading an image as if it were its source, at any offset. */

#ifndef IOPRESS_PIPELINE_IMAGE_VIEW_H
#define IOPRESS_PIPELINE_IMAGE_VIEW_H

#include "guest/mapped_ram.h"
#include "image/image.h"
#include "pipeline/unpack.h"

struct image_view;

/* A view of IMAGE, whose index is loaded.  UNPACK says how to decode its
 * records; its prefix need not be set.  Both stay the caller's.  Returns 0,
 * or -1 with ERR.
 */
int image_view_open (struct image *image, const struct unpack *unpack,
                     struct image_view **view, struct error *err);

/* Free; NULL is ignored. */
void image_view_close (struct image_view *view);

/* The view's read-at face for the parsers: decodes a window at a time and
 * remembers the last one; every byte is under its checksum.  One thread.
 */
struct read_at read_at_of_view (struct image_view *view);

#endif /* IOPRESS_PIPELINE_IMAGE_VIEW_H */
