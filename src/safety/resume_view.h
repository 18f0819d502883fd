/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A source of which a part is in an image, as it was. */

#ifndef IOPRESS_SAFETY_RESUME_VIEW_H
#define IOPRESS_SAFETY_RESUME_VIEW_H

#include "image/image_view.h"
#include "safety/resume.h"

/* The source as it was: what the records cover is read from the image (VIEW),
 * the rest from SOURCE.  STORAGE is the caller's and must outlive it.
 */
struct resume_view {
  struct read_at image;
  struct read_at source;
  uint64_t covered_bytes;
};
struct read_at resume_read_at (const struct resume *resume,
                               const struct file *source,
                               struct image_view *view,
                               struct resume_view *storage);

#endif /* IOPRESS_SAFETY_RESUME_VIEW_H */
