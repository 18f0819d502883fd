/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image of the store, read as its source. */

#ifndef IOPRESS_MOUNT_SHOWN_H
#define IOPRESS_MOUNT_SHOWN_H

#include "mount/mounting.h"

/* How a regular file of the store is shown. */
enum shown {
  SHOWN_PLAIN,                 /* no image, shown as it is */
  SHOWN_IMAGE,
  SHOWN_UNFINISHED,            /* an image without end, or a damaged one */
};

/* Look at the file behind FD, an O_PATH descriptor.  *SOURCE_BYTES is set for
 * an image, finished or not, as far as it is known; *HALF says whether it is
 * half of an only copy (content_is_half).  Returns 0, or -1 with ERR when it
 * cannot be told.
 */
int shown_look (int fd, enum shown *shown, uint64_t *source_bytes, bool *half,
                struct error *err);

/* Whether the file behind FD, an O_PATH descriptor, below the folder ROOT is an
 * aside, by its name, of a file beside it that is half expanded: then it is the
 * other half.  Returns 0 with *ASIDE, or -1 with ERR when it cannot be told.
 */
int shown_look_for_aside (int root, int fd, bool *aside, struct error *err);

/* Open the image behind FD, an O_PATH descriptor, to be freed with shown_close.
 * Returns 0, or -1 with ERR.
 */
int shown_open (const struct mounting *mounting, int fd,
                struct shown_image **shown, struct error *err);

/* NULL is ignored.  Nobody may be reading. */
void shown_close (const struct mounting *mounting, struct shown_image *shown);

/* Read LENGTH bytes at OFFSET, within the source.  Any thread.  Returns 0, or
 * -1 with ERR.
 */
int shown_read (const struct mounting *mounting, struct shown_image *shown,
                uint64_t offset, void *buffer, size_t length,
                struct error *err);

/* The first byte from OFFSET on that may be data, or that is in a hole; the
 * size of the source where there is none.
 */
uint64_t shown_next_data (const struct shown_image *shown, uint64_t offset);
uint64_t shown_next_hole (const struct shown_image *shown, uint64_t offset);

#endif /* IOPRESS_MOUNT_SHOWN_H */
