/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress save: moving all windows of the source into the image. */

#include <config.h>

#include "cmd/progress.h"
#include "cmd/save.h"
#include "pipeline/image_sink.h"
#include "pipeline/pack.h"
#include "pipeline/window_intake.h"
#include "safety/replace.h"

/* What was packed must be the source as it was at one time.  Behind the end of
 * a file that was cut are holes, as it seems.  One that is consumed changes by
 * that.
 */
static int
check_unchanged (const struct save *save, struct error *err)
{
  struct file_state now;

  if (!save->source.regular)
    return 0;
  if (file_note_state (&save->source, &now, err) < 0)
    return -1;
  if (now.bytes >= save->before.bytes)
    return save->consume != NULL ? 0
      : file_check_state (&save->source, &save->before, err);
  return error_about (err, ERROR_FAILED, 0, save->source.name,
                      "was cut while it was packed");
}

/* With --replace a source that somebody has removed or edited is packed for
 * nothing.
 */
static int
check_source (void *opaque, struct error *err)
{
  const struct save *save = opaque;

  return replace_check_name (&save->output.draft.place, &save->source,
                             err) < 0 ? -1
    : file_check_state (&save->source, &save->before, err);
}

/* Move all windows through the workers into the image. */
static int
pack_windows (struct save *save, struct window_intake *windows,
              const struct sink *sink, struct error *err)
{
  struct run_options options = run_options_of (&save->options->common);
  struct pack pack = {
    .encoding = {
      .header = &save->header,
      .codec = save->codec,
      .verify = save->consumes && !save->options->no_verify,
    },
    .ram = save->header.compatible & FEATURE_EXACT ? NULL : save->layout.ram,
    .automatic = save->automatic ? &save->level : NULL,
  };
  struct intake intake = window_intake_face (windows);
  struct job job = pack_job (&pack);
  int result;

  save->progress = progress_begin (&save->options->common, "save",
                                   &save->header, &options);
  if (save->options->replace) {
    options.check = check_source;
    options.check_opaque = save;
  }
  if (save->automatic) {
    auto_level_init (&save->level, &save->codec->ops);
    options.balance = auto_level_balance;
    options.balance_opaque = &save->level;
  }
  result = pipeline_run (&intake, &job, sink, &options, err);
  if (result == 0)
    result = check_unchanged (save, err);
  if (result == 0)
    result = sink_complete (sink, err);
  return result;
}

int
save_pack (struct save *save, struct error *err)
{
  bool exact = (save->header.compatible & FEATURE_EXACT) != 0;
  struct image_follower follower = consume_follower (save->consume);
  struct image_sink_options options = {
    .output = &save->output.file,
    .source = &save->source,
    .header = &save->header,
    .follower = save->consume != NULL ? &follower : NULL,
    .resumed = save->image,
    .footer = &save->footer,
    .image_bytes = &save->image_bytes,
  };
  struct intake_need need;
  struct window_intake *windows = NULL;
  struct sink sink = SINK_CLOSED;
  int result = -1;

  if (intake_need_find (&save->source, save->layout.ram, exact,
                        save->consume != NULL || save->options->replace, &need,
                        err) == 0 &&
      window_intake_open (&save->source, &need,
                          save->header.chunk_bytes,
                          align_up (save->earlier.covered_bytes,
                                    save->header.chunk_bytes),
                          &windows, err) == 0 &&
      image_sink_open (&options, &sink, err) == 0)
    result = pack_windows (save, windows, &sink, err);
  window_intake_close (windows);
  sink_close (&sink);
  return result;
}
