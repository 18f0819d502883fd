/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image file that is being read: header, footer and index. */

#ifndef IOPRESS_IMAGE_IMAGE_H
#define IOPRESS_IMAGE_IMAGE_H

#include "format/footer.h"
#include "io/file.h"

struct image {
  struct file *file;
  struct file_header header;
  uint8_t *prefix;             /* header.prefix_bytes bytes */

  /* Of a seekable, finished image. */
  struct footer footer;
  struct index_entry *entries; /* footer.record_count, ascending */
  uint64_t bytes;              /* size of the image */

  /* Of a stream: bytes read past the file header. */
  uint8_t *ahead;
  size_t ahead_bytes;
};

/* See that FILE, which stays the caller's, is an image (content.h), and get its
 * header and prefix.  A stream is read up to some bytes past the header: those
 * are in AHEAD.  Returns 0; or -1 with ERR (ERROR_BAD_INPUT when it is no
 * image, a damaged one, or one of an unknown version).
 */
int image_open (struct file *file, struct image **image, struct error *err);

/* Read and check footer and index of a seekable image.  Returns 0, or -1 with
 * ERR: an image without footer is incomplete.
 */
int image_load_index (struct image *image, struct error *err);

/* Whether a seekable image ends with its footer.  That is written last of all,
 * when all the rest is on the disk: the image is a finished one, whatever has
 * become of it since.  Returns 1, 0, or -1 with ERR when it cannot be read.
 */
int image_is_finished (const struct image *image, struct error *err);

/* What an index says. */
struct image_index {
  struct index_entry *entries; /* to be freed */
  struct footer totals;        /* of the entries; nothing of its place */
};

/* Read the entries behind the index header HEADER, which is this IMAGE's and
 * stands at file offset OFFSET; no record may end behind LIMIT.  They are read
 * and checked step by step, up to the first that cannot be one: memory and time
 * are those of the entries that stand there, whatever HEADER says.  Returns 0
 * when all are as they should be and have HEADER's checksum, or -1 with ERR.
 */
int image_read_index (const struct image *image, uint64_t offset,
                      uint64_t limit, const struct index_header *header,
                      struct image_index *index, struct error *err);

/* Free; NULL is ignored. */
void image_close (struct image *image);

/* The number of the first index entry whose window is WINDOW or higher. */
uint64_t image_find_window (const struct image *image, uint64_t window);

#endif /* IOPRESS_IMAGE_IMAGE_H */
