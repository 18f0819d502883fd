/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress save: a run, from waiting for the source to what is said of it. */

#include <config.h>

#include <stdio.h>

#include "cmd/image_run.h"
#include "cmd/save.h"
#include "cmd/say.h"
#include "safety/replace.h"
#include "util/size.h"

/* Whether blocks can be given back at all; both files may have been moved since
 * an earlier run began.  To try that counts as a change on some file systems.
 * Returns 1, 0, or -1 with ERR.
 */
static int
try_consuming (struct save *save, struct error *err)
{
  int possible;

  if (file_descriptor_of (save->options->source_name) < 0 &&
      file_check_state (&save->source, &save->before, err) < 0)
    return -1;
  possible = file_can_punch (&save->source, err);
  return possible >= 0 &&
    file_note_state (&save->source, &save->before, err) < 0 ? -1 : possible;
}

static int
start_consuming (struct save *save, struct error *err)
{
  bool named = file_descriptor_of (save->options->source_name) < 0;
  struct consume_options options = {
    .discard = {
      .source = &save->source,
      .output = &save->output.file,
      .draft = output_draft (&save->output),
      .header = &save->header,
      .before = named ? &save->before : NULL,
      .left = &save->earlier.left,
    },
    .batch_bytes = save->options->batch_bytes,
  };
  int possible = 1;

  if (!save->consumes)
    return 0;
  if (save->options->resume)
    possible = try_consuming (save, err);
  save->source_stays = possible == 0;
  return possible <= 0 ? possible
    : consume_open (&options, &save->consume, err);
}

static int
confine (const struct save *save, struct error *err)
{
  bool changes = save->consumes || save->options->replace;

  return confine_to (&save->options->common, save_privileges (save->options),
                     &save->source, changes ? LANDLOCK_UPDATE : LANDLOCK_READ,
                     &save->output, err);
}

/* Open source and output: anew, or as an earlier run left them. */
static int
prepare (struct save *save, struct error *err)
{
  int result;

  /* What is wrong with -c is said before anything is waited for. */
  if (!save->options->resume && save_choose_codec (save, err) < 0)
    return -1;
  if (save_wait (save->options, err) < 0 || save_open_source (save, err) < 0)
    return -1;
  result = save->options->resume ? save_prepare_again (save, err)
    : save_prepare_new (save, err);
  return result < 0 || confine (save, err) < 0 ? -1
    : start_consuming (save, err);
}

static int
publish_over_source (struct save *save, struct error *err)
{
  struct replace replace = {
    .source = &save->source,
    .before = &save->before,
    .prefix_bytes = save->header.prefix_bytes,
  };

  if (replace_publish (&save->output.draft, &replace, &save->left, err) < 0)
    return -1;
  save->output.committed = true;
  return 0;
}

static int
publish (void *opaque, struct error *err)
{
  struct save *save = opaque;

  return save->options->replace ? publish_over_source (save, err)
    : output_commit (&save->output, err);
}

static int
write_and_publish (struct save *save, struct error *err)
{
  if (save->earlier.complete)
    save->footer = save->image->footer;
  else if (save_pack (save, err) < 0)
    return -1;
  return save->consume != NULL
    ? consume_finish (save->consume, publish, save, err) : publish (save, err);
}

/* Which levels -c auto picked, and for how many windows each. */
static void
report_levels (const struct save *save)
{
  char text[256] = "";
  size_t i, used = 0;

  for (i = 0; i < save->level.count; i++)
    if (save->level.used[i] > 0 && used < sizeof text)
      used += (size_t) snprintf (text + used, sizeof text - used,
                                 "%s%llu at %s:%d", used > 0 ? ", " : "",
                                 (unsigned long long) save->level.used[i],
                                 save->header.codec, save->level.levels[i]);
  say_note ("%s: windows packed: %s", save->options->output_name,
            used > 0 ? text : "none");
}

static void
report (const struct save *save)
{
  const struct common_options *common = &save->options->common;
  char from[SIZE_TEXT_BYTES], to[SIZE_TEXT_BYTES];
  uint64_t kept = save->footer.page_count * PAGE_BYTES;

  if (save->left.kind != ERROR_NONE)
    say_error (&save->left);
  if (save->automatic && !common->quiet)
    report_levels (save);
  if (common->verbose && save->layout.plain_stream)
    say_note ("%s: QEMU's stream in it is a plain one, not mapped-ram: packed "
              "byte for byte", save->source.name);
  if (common->verbose)
    say_note ("%s: %s of pages packed into %s", save->source.name,
              size_format (kept, from), size_format (save->image_bytes, to));
  if (save->source_stays && !common->quiet)
    say_note ("%s: is in %s now, but its file system cannot give its blocks "
              "back", save->source.name, save->options->output_name);
}

/* Once part of the source is gone every failure is one of a kind: nothing is
 * lost, and --resume goes on.
 */
static void
explain_consumed (const struct save *save, struct error *err)
{
  const char *first = "nothing is lost,";

  if (!output_is_there (&save->output))
    first = "it has a part of SOURCE: bring it back, then";
  else if (save->output.draft.name_taken)
    first = "nothing is lost: move that file away, then";
  err->kind = ERROR_CONSUMED;
  /* SOURCE and OUTPUT follow, see verb_run. */
  error_hint (err, "%s go on with: iopress save --resume%s", first,
              save->options->force ? " --force" : "");
}

/* After a failure: keep an output that is worth something, or is not this
 * run's.
 */
static void
leave_output (struct save *save, struct error *err)
{
  struct error ignored = { 0 };
  bool whole;

  /* The thread may be about to begin: only when it has ended is it known. */
  if (save->consume != NULL)
    consume_stop (save->consume, &ignored);
  whole = save->earlier.left == SOURCE_WHOLE;
  if (!whole && err->kind != ERROR_USAGE && err->kind != ERROR_BAD_INPUT)
    explain_consumed (save, err);
  if (whole && save->new_output)
    output_abandon (&save->output);
  else
    output_keep (&save->output);
}

/* With --replace an image is no source, but what is wanted.  Returns 0, or -1
 * with ERR.
 */
static int
accept_image (const struct save *save, struct error *err)
{
  const struct save_options *options = save->options;
  struct image_options how = image_options_of (&options->common);
  struct error other = { 0 }, stays = { 0 };
  int done;

  if (!options->replace || !save->layout.is_image)
    return -1;
  done = replace_is_done (options->source_name, &how, &stays, &other);
  if (done < 0)
    *err = other;
  if (stays.kind != ERROR_NONE)
    say_error (&stays);
  if (done > 0 && !options->common.quiet)
    say_note ("%s: is an image already", options->source_name);
  return done > 0 ? 0 : -1;
}

static int
run (struct save *save, struct error *err)
{
  if (prepare (save, err) == 0 && write_and_publish (save, err) == 0) {
    output_keep (&save->output);
    progress_end (&save->progress, true);
    report (save);
    return 0;
  }
  leave_output (save, err);
  return accept_image (save, err);
}

void
save_close (struct save *save)
{
  consume_close (save->consume);
  source_layout_free (&save->layout);
  image_close (save->image);
  codec_unload (save->codec);
  file_close (&save->source);
}

int
save_run (const struct save_options *options, struct error *err)
{
  struct save save = {
    .options = options,
    .consumes = options->discard,
    SAVE_CLOSED
  };
  int result = run (&save, err);

  progress_end (&save.progress, result == 0);
  save_close (&save);
  return result;
}
