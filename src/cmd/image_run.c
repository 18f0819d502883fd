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
  struct run_options options = run_options_of (run->common);
  struct job job = unpack_job (&input->decoding);

  run->progress = progress_begin (run->common, run->verb,
                                  &input->image->header, &options);
  return record_intake_run (input->image, run->cached, &job, run->sink,
                            &options, err) == 0 ? 0
    : image_hint_recover (input->image, err);
}
