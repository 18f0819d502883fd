/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress verify: are images whole? */

#include <config.h>

#include <stdio.h>
#include <string.h>

#include "cmd/confine.h"
#include "cmd/image_run.h"
#include "cmd/say.h"
#include "cmd/verbs.h"
#include "pipeline/page_sink.h"

#define SYNOPSIS "iopress verify [OPTION]... IMAGE..."

static const char help[] =
  "Usage: " SYNOPSIS "\n"
  "Read all of each IMAGE, decompress it and check every checksum.  Writes\n"
  "nothing; the exit status is 0 when it is whole, 3 when it is not.  Of\n"
  "several, a summary is printed at the end.\n"
  "\n"
  "      --fast              check the checksums of the stored bytes only,\n"
  "                          decompress nothing\n";

struct verify {
  struct common_options common;
  bool fast;
  bool several;                /* none of them may keep the others waiting */
  struct image_input input;
  struct image_run run;
};

static const struct option long_options[] = {
  COMMON_LONG_OPTIONS,
  { "fast", no_argument, NULL, OPTION_FLAG (struct verify, fast) },
  { NULL, 0, NULL, 0 },
};

/* What is open already, or stands alone, may be a pipe. */
static int
open_input (struct verify *verify, const char *name, struct error *err)
{
  struct image_options how = image_options_of (&verify->common);
  struct file file = FILE_CLOSED;
  int result;

  if (!verify->several || file_descriptor_of (name) >= 0 ||
      strcmp (name, "-") == 0)
    return image_input_open (name, &how, &verify->input, err);
  result = file_open_seekable (name, "IMAGE must be among several", FILE_READ,
                               how.how, &file, err);
  if (result == 0)
    result = image_input_take (&file, &how, &verify->input, err);
  file_close (&file);
  return result;
}

static int
verify_image (struct verify *verify, const char *name, struct error *err)
{
  const struct common_options *common = &verify->common;
  struct image_input *input = &verify->input;
  struct sink sink = null_sink ();

  verify->run = (struct image_run) {
    .verb = "verify",
    .common = common,
    .sink = &sink,
  };
  if (open_input (verify, name, err) < 0)
    return -1;
  if (!verify->several &&
      confine_to (common, PRIVILEGES_READ, &input->file, LANDLOCK_READ, NULL,
                  err) < 0)
    return -1;
  input->decoding.fast = verify->fast;
  if (image_run (input, &verify->run, err) < 0)
    return -1;
  progress_end (&verify->run.progress, true);
  if (common->verbose)
    say_note ("%s: %llu records, all whole", input->file.name,
              (unsigned long long) input->image->footer.record_count);
  return 0;
}

static void
end (void *state, bool succeeded)
{
  struct verify *verify = state;

  progress_end (&verify->run.progress, succeeded);
  image_input_close (&verify->input);
}

/* Those that are not whole are told of at once, and the others looked at all
 * the same.  Damage outweighs what could not be read.
 */
static int
verify_images (struct verify *verify, char **names, struct error *err)
{
  size_t whole = 0, bad = 0, failed = 0;

  for (; *names != NULL; names++) {
    struct error one = { 0 };
    int result = verify_image (verify, *names, &one);

    end (verify, result == 0);
    if (result == 0) {
      whole++;
      continue;
    }
    if (one.kind == ERROR_CANCELLED) {
      *err = one;
      return -1;
    }
    if (say_error (&one) == ERROR_BAD_INPUT)
      bad++;
    else
      failed++;
  }
  if (!verify->common.quiet)
    printf ("%zu images: %zu whole, %zu not whole, %zu not read\n",
            whole + bad + failed, whole, bad, failed);
  return bad > 0 ? ERROR_BAD_INPUT : failed > 0 ? ERROR_FAILED : 0;
}

static int
run (void *state, char **operands, struct error *err)
{
  struct verify *verify = state;

  if (confine_privileges (&verify->common, PRIVILEGES_READ, err) < 0)
    return -1;
  verify->several = operands[1] != NULL;
  if (verify->several && confine_to_reading (&verify->common, err) < 0)
    return -1;
  return verify->several ? verify_images (verify, operands, err)
    : verify_image (verify, operands[0], err);
}

const struct verb verify_verb = {
  .name = "verify",
  .summary = "check that images are whole",
  .synopsis = SYNOPSIS,
  .help = help,
  .letters = COMMON_LETTERS,
  .options = long_options,
  .operand_count = 1,
  .many_operands = true,
  VERB_STATE (struct verify, .input = IMAGE_INPUT_CLOSED),
  .run = run,
  .end = end,
};
