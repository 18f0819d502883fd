/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All records of an image through unpacking, as the command line says. */

#ifndef IOPRESS_CMD_IMAGE_RUN_H
#define IOPRESS_CMD_IMAGE_RUN_H

#include "cmd/options.h"
#include "cmd/progress.h"
#include "image/image_input.h"

/* How COMMON says to open an image. */
struct image_options image_options_of (const struct common_options *common);

/* What to run, and how. */
struct image_run {
  const char *verb;            /* for the progress reports */
  const struct common_options *common;
  const struct sink *sink;
  bool cached;                 /* what the page cache has of it will do */
  struct progress *progress;   /* for the caller to end, or NULL */
};

/* Run all records of INPUT into RUN's sink, and complete that.  Returns 0, or
 * -1 with ERR.
 */
int image_run (const struct image_input *input, struct image_run *run,
               struct error *err);

#endif /* IOPRESS_CMD_IMAGE_RUN_H */
