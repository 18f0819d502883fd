/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress verify: is an image whole? */

#include <config.h>

#include "cmd/image_input.h"
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

enum {
  OPTION_FAST = OPTION_VERB,
};

static const struct option long_options[] = {
  COMMON_LONG_OPTIONS,
  { "fast", no_argument, NULL, OPTION_FAST },
  { NULL, 0, NULL, 0 },
};

struct verify {
  struct common_options common;
  bool fast;
  struct image_input input;
};

static int
take_option (void *opaque, int c, struct error *err)
{
  struct verify *verify = opaque;

  if (c != OPTION_FAST)
    return common_option (&verify->common, c, err);
  verify->fast = true;
  return 0;
}

static int
verify_image (struct verify *verify, const char *name, struct error *err)
{
  const struct common_options *common = &verify->common;
  struct image_input *input = &verify->input;
  struct sink sink = null_sink ();

  if (image_input_open (name, common, input, err) < 0)
    return -1;
  input->decoding.fast = verify->fast;
  if (image_input_run (input, "verify", common, &sink, err) < 0)
    return -1;
  if (common->verbose && !common->quiet)
    say_note ("%s: %llu records, all whole", input->file.name,
              (unsigned long long) input->image->footer.record_count);
  return 0;
}

int
cmd_verify (int argc, char **argv)
{
  static const struct command command = {
    .synopsis = SYNOPSIS,
    .help = help,
    .letters = COMMON_LETTERS,
    .options = long_options,
    .argument_count = 1,
    .take = take_option,
  };
  struct verify verify = { .input = IMAGE_INPUT_CLOSED };
  struct error err = { 0 };
  int result;

  result = command_parse (&command, argc, argv, &verify.common, &verify,
                          &err);
  if (result == 0)
    result = verify_image (&verify, argv[optind], &err);
  image_input_close (&verify.input, result == 0);
  return result < 0 ? say_error (&err) : say_end_report ();
}
