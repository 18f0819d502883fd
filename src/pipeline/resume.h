/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Going on with an image that an earlier run left unfinished. */

#ifndef IOPRESS_PIPELINE_RESUME_H
#define IOPRESS_PIPELINE_RESUME_H

#include "format/marker.h"
#include "image/image_view.h"

/* What an earlier run has left. */
struct resume {
  struct image *image;         /* entries of its valid records; bytes: the end
                                * of the last one */
  bool complete;               /* index and footer are there, too */
  uint64_t covered_bytes;      /* every page of the source before this offset
                                * is in a record, or was absent */
  struct marker marker;        /* of the source */
  bool consumed;               /* there is a marker: some of it is gone */
  bool source_whole;           /* nothing of it is gone, that is certain */
  bool prefix_differs;         /* the source is whole, and the prefix of the
                                * image is not its own */
};

/* Read the marker of SOURCE, if it has one.  First of all: whatever fails later
 * is another kind of failure when part of the source is gone.  Returns 0, or
 * -1 with ERR.
 */
int resume_read_marker (const struct file *source, struct resume *resume,
                        struct error *err);

/* Whether SOURCE holds nothing but zeros, as one that is wholly given back.
 * Returns 1, 0, or -1 with ERR.
 */
int resume_source_is_empty (const struct file *source, struct error *err);

/* Walk the records of IMAGE, opened but without index, and keep the longest
 * run of valid ones from the first on.  IMAGE becomes part of RESUME but stays
 * the caller's.  Returns 0, or -1 with ERR when the file cannot be read.
 */
int resume_walk (struct image *image, struct resume *resume,
                 struct error *err);

/* Refuse a SOURCE that does not belong to the image, or of which more is gone
 * than the image's records cover.  A source without marker is whole: its
 * windows are compared with the records (VIEW reads the image), and its prefix,
 * which no checksum covers, too.  Returns 0, or -1 with ERR (ERROR_BAD_INPUT)
 * that names what differs.
 */
int resume_check_source (struct resume *resume,
                         const struct file *source, struct image_view *view,
                         struct error *err);

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

#endif /* IOPRESS_PIPELINE_RESUME_H */
