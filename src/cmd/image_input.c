/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IMAGE as the command line names it, ready to be read. */

#include <config.h>

#include "cmd/codec.h"
#include "cmd/image_input.h"
#include "cmd/progress.h"
#include "cmd/signals.h"
#include "pipeline/record_intake.h"
#include "pipeline/unpack.h"

/* What to do about a damaged or unfinished image.  A finished one is nothing that
 * could be gone on with.
 */
static int
hint_recover (const struct image *image, struct error *err)
{
  bool discard = (image->header.compatible & FEATURE_DISCARD) != 0;
  struct error unreadable = { 0 };
  bool unfinished = discard && !image->file->stream &&
    image_is_finished (image, &unreadable) == 0;

  if (err->kind == ERROR_BAD_INPUT)
    error_hint (err, "%siopress recover saves what is whole", unfinished
                ? "iopress save --resume finishes an unfinished image, " : "");
  return -1;
}

static int
load (const struct common_options *common, struct image_input *input,
      struct error *err)
{
  input->file.cancelled = signals_received ();
  if (image_open (&input->file, &input->image, err) < 0)
    return -1;
  if (!input->file.stream && image_load_index (input->image, err) < 0)
    return hint_recover (input->image, err);
  if (codec_for_image (common->plugin_folder, &input->image->header,
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
image_input_open (const char *name, const struct common_options *common,
                  struct image_input *input, struct error *err)
{
  if (file_open (name, FILE_READ, common->direct, &input->file, err) < 0)
    return -1;
  return load (common, input, err);
}

int
image_input_take (struct file *file, const struct common_options *common,
                  struct image_input *input, struct error *err)
{
  input->file = *file;
  *file = (struct file) FILE_CLOSED;
  return load (common, input, err);
}

void
image_input_close (struct image_input *input, bool succeeded)
{
  struct error ignored = { 0 };

  progress_end (input->progress, succeeded);
  codec_unload (input->codec);
  image_close (input->image);
  file_close (&input->file, &ignored);
  *input = (struct image_input) IMAGE_INPUT_CLOSED;
}

int
image_input_run (struct image_input *input, const char *verb,
                 const struct common_options *common,
                 const struct sink *sink, struct error *err)
{
  const struct file_header *header = &input->image->header;
  struct run_options options = run_options_of (common);
  struct job job = unpack_job (&input->decoding);
  struct record_intake *records = NULL;
  struct intake intake;
  int result;

  if (record_intake_open (input->image, input->cached, &records, err) < 0)
    return -1;
  intake = record_intake_face (records);
  input->progress = progress_begin (common, verb, header->source_bytes,
                                    header->chunk_bytes, &options);
  result = pipeline_run (&intake, &job, sink, &options, err);
  record_intake_close (records);
  if (result < 0)
    return hint_recover (input->image, err);
  return sink_complete (sink, err);
}
