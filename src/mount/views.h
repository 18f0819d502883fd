/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images that are open, and the memory to look into them.
 *
 * However many are open, only some have windows in memory: those that were read
 * last.
 */

#ifndef IOPRESS_MOUNT_VIEWS_H
#define IOPRESS_MOUNT_VIEWS_H

#include <stddef.h>
#include <stdint.h>

#include "image/image_view.h"

struct views;

/* An image that is open.  Private, but for what mounted.c reads. */
struct shown_image {
  struct file file;
  struct image *image;         /* its index loaded */
  struct decoding decoding;
  /* Below under the lock of the views. */
  struct image_view *view;     /* NULL: none at the moment */
  unsigned int readers;
  uint64_t memory;             /* the view's */
  uint64_t used;               /* when it was read last */
  struct shown_image *next;    /* of those with a view */
};

/* Views that take MEMORY bytes together, each with THREADS threads that read
 * ahead.  Returns NULL with errno.
 */
struct views *views_new (uint64_t memory, unsigned int threads);

/* No image may have a view any more; NULL is ignored. */
void views_free (struct views *views);

/* Read LENGTH bytes at OFFSET, behind the image's prefix and within its source.
 * Waits when all memory is in use by others who read.  Any thread.  Returns 0,
 * or -1 with ERR.
 */
int views_read (struct views *views, struct shown_image *shown,
                uint64_t offset, void *buffer, size_t length,
                struct error *err);

/* How many views there are, and what they have of the memory. */
void views_describe (struct views *views, unsigned int *count,
                     uint64_t *memory, uint64_t *reads);

/* Nobody reads SHOWN any more: free its view. */
void views_drop (struct views *views, struct shown_image *shown);

#endif /* IOPRESS_MOUNT_VIEWS_H */
