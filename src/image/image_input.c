/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image that is open to be unpacked. */

#include <config.h>

#include <string.h>

#include "image/content.h"
#include "image/image_input.h"

int
image_hint_recover (const struct image *image, struct error *err)
{
  struct error unreadable = { 0 };
  bool finished = image->file->stream ||
    image_is_finished (image, &unreadable) != 0;

  if (err->kind == ERROR_BAD_INPUT)
    error_hint (err, "%s", content_next_of_image (&image->header, finished));
  return -1;
}

int
codec_for_image (const char *folder, const struct file_header *header,
                 struct codec **codec, struct error *err)
{
  *codec = NULL;
  if (strcmp (header->codec, CODEC_STORED) == 0)
    return 0;
  return codec_load (folder, header->codec, codec, err);
}

static int
load (const struct image_options *options, struct image_input *input,
      struct error *err)
{
  if (image_open (&input->file, &input->image, err) < 0)
    return -1;
  if (!input->file.stream && image_load_index (input->image, err) < 0)
    return image_hint_recover (input->image, err);
  if (codec_for_image (options->plugin_folder, &input->image->header,
                       &input->codec, err) < 0)
    return error_subject (err, input->file.name);
  input->decoding = (struct decoding) {
    .header = &input->image->header,
    .codec = input->codec,
    .prefix = input->image->prefix,
    .name = input->file.name,
  };
  return 0;
}

int
image_input_open (const char *name, const struct image_options *options,
                  struct image_input *input, struct error *err)
{
  if (file_open (name, FILE_READ, options->how, &input->file, err) < 0)
    return -1;
  return load (options, input, err);
}

int
image_input_take (struct file *file, const struct image_options *options,
                  struct image_input *input, struct error *err)
{
  input->file = *file;
  *file = (struct file) FILE_CLOSED;
  return load (options, input, err);
}

void
image_input_close (struct image_input *input)
{
  codec_unload (input->codec);
  image_close (input->image);
  file_close (&input->file);
  *input = (struct image_input) IMAGE_INPUT_CLOSED;
}
