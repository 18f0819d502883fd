/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress repack: an image becomes another one of the same source. */

#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "cmd/codec.h"
#include "cmd/confine.h"
#include "cmd/image_run.h"
#include "cmd/output.h"
#include "cmd/say.h"
#include "cmd/verbs.h"
#include "pipeline/repack.h"
#include "util/size.h"

#define SYNOPSIS "iopress repack [OPTION]... IMAGE OUTPUT"

static const char help[] =
  "Usage: " SYNOPSIS "\n"
  "Make OUTPUT, an image of the same source as IMAGE, with another codec or\n"
  "level, and its records in the usual order.  IMAGE is a path, or fd:N for an\n"
  "inherited descriptor of a file; OUTPUT also - for standard output.\n"
  "\n"
  "  -c, --codec=CODEC[:LEVEL][,PARAMETERS]\n"
  "                          how to compress; without it as IMAGE is, and only\n"
  "                          what it has stored\n"
  "      --force             replace OUTPUT if it exists\n";

struct repack_state {
  struct common_options common;
  bool force;
  struct image_input input;
  struct progress *progress;   /* or NULL */
  struct output output;
  struct codec *new_codec;     /* of CODEC_TEXT */
  struct repack repack;
  struct footer footer;
  uint64_t image_bytes;
};

static const struct option long_options[] = {
  COMMON_LONG_OPTIONS,
  CODEC_LONG_OPTION,
  { "force", no_argument, NULL, OPTION_FLAG (struct repack_state, force) },
  { NULL, 0, NULL, 0 },
};

static int
choose_codec (struct repack_state *state, struct error *err)
{
  struct repack *repack = &state->repack;

  repack->codec = repack->new_codec = state->input.codec;
  repack->keep_frames = state->common.codec_text == NULL;
  if (repack->keep_frames)
    return 0;
  if (codec_for_choice (&state->common, &repack->header, &state->new_codec,
                        NULL, err) < 0)
    return -1;
  repack->new_codec = state->new_codec;
  return 0;
}

static int
prepare (struct repack_state *state, char **operands, struct error *err)
{
  const struct common_options *common = &state->common;
  struct image_options how = image_options_of (common);
  struct output_how wanted = { OUTPUT_IMAGE, state->force, common->how };
  struct repack *repack = &state->repack;

  if (image_input_open (operands[0], &how, &state->input, err) < 0)
    return -1;
  if (state->input.file.stream) {
    error_about (err, ERROR_USAGE, 0, state->input.file.name,
                 "cannot be repacked from a pipe");
    return error_hint (err, "write it to a file first");
  }
  repack->image = state->input.image;
  repack->output = &state->output.file;
  repack_prepare (repack);
  if (getrandom (repack->header.image_id, IMAGE_ID_BYTES, 0) !=
      IMAGE_ID_BYTES)
    return error_set (err, ERROR_FAILED, errno, "no random image id");
  return choose_codec (state, err) < 0 ? -1
    : output_open (operands[1], wanted, &state->input.file, &state->output,
                   err);
}

static int
convert (struct repack_state *state, struct error *err)
{
  const struct repack *repack = &state->repack;
  struct run_options options = run_options_of (&state->common);
  struct run_options again = options;

  state->progress = progress_begin (&state->common, "repack",
                                    &repack->header, &options);
  if (repack_run (repack, &options, &state->footer, &state->image_bytes,
                  err) < 0)
    return image_hint_recover (state->input.image, err);
  if (!state->output.file.regular)
    return 0;
  return file_sync (&state->output.file, err) < 0 ? -1
    : repack_verify (repack, &again, err);
}

static int
run (void *opaque, char **operands, struct error *err)
{
  struct repack_state *state = opaque;
  char before[SIZE_TEXT_BYTES], after[SIZE_TEXT_BYTES];

  if (confine_privileges (&state->common, PRIVILEGES_WRITE, err) < 0 ||
      prepare (state, operands, err) < 0 ||
      confine_to (&state->common, PRIVILEGES_WRITE, &state->input.file,
                  LANDLOCK_READ, &state->output, err) < 0 ||
      convert (state, err) < 0 ||
      output_commit (&state->output, err) < 0)
    return -1;
  progress_end (&state->progress, true);
  if (state->common.verbose)
    say_note ("%s: %llu records, %s instead of %s", operands[1],
              (unsigned long long) state->footer.record_count,
              size_format (state->image_bytes, after),
              size_format (state->input.image->bytes, before));
  return 0;
}

static void
end (void *opaque, bool succeeded)
{
  struct repack_state *state = opaque;

  progress_end (&state->progress, succeeded);
  image_input_close (&state->input);
  codec_unload (state->new_codec);
  output_abandon (&state->output);
}

const struct verb repack_verb = {
  .name = "repack",
  .summary = "give an image another codec, level or order",
  .synopsis = SYNOPSIS,
  .help = help,
  .letters = COMMON_LETTERS "c:",
  .options = long_options,
  .operand_count = 2,
  VERB_STATE (struct repack_state, .input = IMAGE_INPUT_CLOSED,
              .output = OUTPUT_CLOSED),
  .run = run,
  .end = end,
};
