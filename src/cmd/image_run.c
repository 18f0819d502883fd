/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All records of an image through unpacking, as the command line says. */

#include <config.h>

#include "cmd/image_run.h"
#include "pipeline/record_intake.h"
#include "pipeline/unpack.h"

struct image_options
image_options_of (const struct common_options *common)
{
  return (struct image_options) {
    .how = common->how,
    .plugin_folder = common->plugin_folder,
  };
}

int
image_run (const struct image_input *input, struct image_run *run,
           struct error *err)
{
  const struct file_header *header = &input->image->header;
  struct run_options options = run_options_of (run->common);
  struct job job = unpack_job (&input->decoding);
  struct record_intake *records = NULL;
  struct intake intake;
  int result;

  if (record_intake_open (input->image, run->cached, &records, err) < 0)
    return -1;
  intake = record_intake_face (records);
  run->progress = progress_begin (run->common, run->verb, header->source_bytes,
                                  header->chunk_bytes, &options);
  result = pipeline_run (&intake, &job, run->sink, &options, err);
  record_intake_close (records);
  if (result < 0)
    return image_hint_recover (input->image, err);
  return sink_complete (run->sink, err);
}
