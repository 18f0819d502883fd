/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress verify: is an image whole? */

#include <config.h>

#include "cmd/image_run.h"
#include "cmd/say.h"
#include "cmd/verbs.h"
#include "pipeline/page_sink.h"

#define SYNOPSIS "iopress verify [OPTION]... IMAGE"

static const char help[] =
  "Usage: " SYNOPSIS "\n"
  "Read all of IMAGE, decompress it and check every checksum.  Writes nothing;\n"
  "the exit status is 0 when the image is whole, 3 when it is not.\n"
  "\n"
  "      --fast              check the checksums of the stored bytes only,\n"
  "                          decompress nothing\n";

struct verify {
  struct common_options common;
  bool fast;
  struct image_input input;
  struct image_run run;
};

static const struct option long_options[] = {
  COMMON_LONG_OPTIONS,
  { "fast", no_argument, NULL, OPTION_FLAG (struct verify, fast) },
  { NULL, 0, NULL, 0 },
};

static int
run (void *state, char **operands, struct error *err)
{
  struct verify *verify = state;
  const struct common_options *common = &verify->common;
  struct image_input *input = &verify->input;
  struct image_options how = image_options_of (common);
  struct sink sink = null_sink ();

  verify->run = (struct image_run) {
    .verb = "verify",
    .common = common,
    .sink = &sink,
  };
  if (image_input_open (operands[0], &how, input, err) < 0)
    return -1;
  input->decoding.fast = verify->fast;
  if (image_run (input, &verify->run, err) < 0)
    return -1;
  if (common->verbose)
    say_note ("%s: %llu records, all whole", input->file.name,
              (unsigned long long) input->image->footer.record_count);
  return 0;
}

static void
end (void *state, bool succeeded)
{
  struct verify *verify = state;

  progress_end (verify->run.progress, succeeded);
  image_input_close (&verify->input);
}

const struct verb verify_verb = {
  .name = "verify",
  .summary = "check that an image is whole",
  .synopsis = SYNOPSIS,
  .help = help,
  .letters = COMMON_LETTERS,
  .options = long_options,
  .operand_count = 1,
  VERB_STATE (struct verify, .input = IMAGE_INPUT_CLOSED),
  .run = run,
  .end = end,
};
