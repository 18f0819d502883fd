/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writer of save: records, then index and footer, make an image.
 *
 * The head is durable before the first record is written, and all but the
 * footer before the footer is.  So a file without a file header holds no
 * record, and one with a footer is whole, unless it was damaged since: no power
 * cut leaves anything else.
 */

#ifndef IOPRESS_PIPELINE_IMAGE_SINK_H
#define IOPRESS_PIPELINE_IMAGE_SINK_H

#include "image/image.h"
#include "io/writer.h"
#include "pipeline/run.h"

/* Who follows the image as it grows, to give back what it holds.  Called in the
 * sink's thread.
 */
struct image_follower {
  void *opaque;

  /* A record with RAW_BYTES of pages has been appended to WRITER, and with it
   * all windows before source offset SOURCE_END.  Returns 0, or -1 with ERR.
   */
  int (*appended) (void *opaque, struct writer *writer, uint64_t source_end,
                   uint64_t raw_bytes, struct error *err);

  /* Make durable what has been written, in place of the sink: the kernel tells
   * one flush of a lost write.  Returns 0, or -1 with ERR.
   */
  int (*sync) (void *opaque, struct error *err);
};

struct image_sink_options {
  struct file *output;
  const struct file *source;   /* its first bytes are the prefix */
  const struct file_header *header;
  const struct image_follower *follower;       /* or NULL */
  /* Records that OUTPUT holds already, or NULL: go on after them. */
  const struct image *resumed;
  /* Where to say what was written, once it is complete. */
  struct footer *footer;
  uint64_t *image_bytes;
};

/* Write an image.  Everything stays the caller's.  It is complete when index
 * and footer are written, not synced.  Returns 0, or -1 with ERR.
 */
int image_sink_open (const struct image_sink_options *options,
                     struct sink *sink, struct error *err);

#endif /* IOPRESS_PIPELINE_IMAGE_SINK_H */
