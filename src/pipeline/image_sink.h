/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writer of save: records, then index and footer, make an image.
 *
 * The head is durable before the first record is written, and all but the footer
 * before the footer is.  So a file without a file header holds no record, and
 * one with a footer is whole, unless it was damaged since: no power cut leaves
 * anything else.
 */

#ifndef IOPRESS_PIPELINE_IMAGE_SINK_H
#define IOPRESS_PIPELINE_IMAGE_SINK_H

#include "pipeline/consume.h"
#include "image/image.h"
#include "pipeline/run.h"

struct image_sink_options {
  struct file *output;
  const struct file *source;   /* its first bytes are the prefix */
  const struct file_header *header;
  struct consume *consume;     /* gives the source back, or NULL */
  /* Records that OUTPUT holds already, or NULL: go on after them. */
  const struct image *begun;
  /* Where to say what was written, once it is complete. */
  struct footer *footer;
  uint64_t *image_bytes;
};

/* Write an image.  Everything stays the caller's.  It is complete when index and
 * footer are written, not synced.  Returns 0, or -1 with ERR.
 */
int image_sink_open (const struct image_sink_options *options,
                     struct sink *sink, struct error *err);

#endif /* IOPRESS_PIPELINE_IMAGE_SINK_H */
