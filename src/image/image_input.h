/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image that is open to be unpacked: the file, its header and index, and its
 * codec.
 */

#ifndef IOPRESS_IMAGE_IMAGE_INPUT_H
#define IOPRESS_IMAGE_IMAGE_INPUT_H

#include "image/decode.h"
#include "image/image.h"

/* How to open one. */
struct image_options {
  struct file_how how;
  const char *plugin_folder;   /* NULL: the compiled-in one */
};

/* Initialise with IMAGE_INPUT_CLOSED; free with image_input_close. */
struct image_input {
  struct file file;
  struct image *image;         /* index loaded when seekable */
  struct codec *codec;
  struct decoding decoding;
};

#define IMAGE_INPUT_CLOSED { .file = FILE_CLOSED }

/* Open the image NAME, load its index if it is seekable, and its codec.
 * Returns 0, or -1 with ERR; close it in both cases.
 */
int image_input_open (const char *name, const struct image_options *options,
                      struct image_input *input, struct error *err);

/* The same with FILE, which is open already; INPUT has its descriptor then, in
 * any case.
 */
int image_input_take (struct file *file, const struct image_options *options,
                      struct image_input *input, struct error *err);

/* Close it; a second call does nothing. */
void image_input_close (struct image_input *input);

/* Load the codec that HEADER names: *CODEC is NULL for "stored"; free it with
 * codec_unload.  FOLDER as above.  Returns 0, or -1 with ERR.
 */
int codec_for_image (const char *folder, const struct file_header *header,
                     struct codec **codec, struct error *err);

/* ERR is what is wrong with IMAGE: say what to do where it is damaged or
 * unfinished.  Returns -1.
 */
int image_hint_recover (const struct image *image, struct error *err);

#endif /* IOPRESS_IMAGE_IMAGE_INPUT_H */
