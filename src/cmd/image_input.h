/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IMAGE as the command line names it, ready to be read. */

#ifndef IOPRESS_CMD_IMAGE_INPUT_H
#define IOPRESS_CMD_IMAGE_INPUT_H

#include "cmd/options.h"
#include "image/decode.h"
#include "image/image.h"

/* Initialise with IMAGE_INPUT_CLOSED; free with image_input_close. */
struct image_input {
  struct file file;
  struct image *image;         /* index loaded when seekable */
  struct codec *codec;
  struct decoding decoding;
  bool cached;                 /* what the page cache has of it will do; set
                                * before image_input_run */
  struct progress *progress;   /* of image_input_run, or NULL */
};

#define IMAGE_INPUT_CLOSED { .file = FILE_CLOSED }

/* Open the image NAME, load its index if it is seekable, and its codec.
 * Returns 0, or -1 with ERR; close it in both cases.
 */
int image_input_open (const char *name, const struct common_options *common,
                      struct image_input *input, struct error *err);

/* The same with FILE, which is open already; INPUT has its descriptor then, in
 * any case.
 */
int image_input_take (struct file *file, const struct common_options *common,
                      struct image_input *input, struct error *err);

/* Close it, once or again; the last progress report says whether all SUCCEEDED. */
void image_input_close (struct image_input *input, bool succeeded);

/* Run all records of INPUT through unpacking into SINK and complete that, with
 * progress as VERB.  Returns 0, or -1 with ERR.
 */
int image_input_run (struct image_input *input, const char *verb,
                     const struct common_options *common,
                     const struct sink *sink, struct error *err);

#endif /* IOPRESS_CMD_IMAGE_INPUT_H */
