/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress restore: an image becomes its source again. */

#include <config.h>

#include "cmd/image_input.h"
#include "cmd/page_output.h"
#include "cmd/say.h"
#include "cmd/verbs.h"

#define SYNOPSIS "iopress restore [OPTION]... IMAGE OUTPUT"

static const char help[] =
  "Usage: " SYNOPSIS "\n"
  "Decompress IMAGE into OUTPUT, a sparse file that QEMU can load.  Each is a\n"
  "path, fd:N for an inherited descriptor, or - for standard input or output.\n"
  "\n"
  "      --force             replace OUTPUT if it exists\n";

enum {
  OPTION_FORCE = OPTION_VERB,
};

static const struct option long_options[] = {
  COMMON_LONG_OPTIONS,
  { "force", no_argument, NULL, OPTION_FORCE },
  { NULL, 0, NULL, 0 },
};

struct restore {
  struct common_options common;
  bool force;
  struct image_input input;
  struct output output;
};

static int
take_option (void *opaque, int c, struct error *err)
{
  struct restore *restore = opaque;

  if (c != OPTION_FORCE)
    return common_option (&restore->common, c, err);
  restore->force = true;
  return 0;
}

static int
write_pages (struct restore *restore, struct error *err)
{
  struct image_input *input = &restore->input;
  struct page_output pages;
  struct sink sink;
  int result = -1;

  if (page_output_open (&restore->output, input->image, &pages, err) == 0) {
    sink = page_output_face (&pages);
    input->cached = true;
    result = image_input_run (input, "restore", &restore->common, &sink, err);
  }
  if (result == 0)
    result = page_output_finish (&pages, err);
  page_output_close (&pages);
  return result < 0 ? -1 : output_commit (&restore->output, err);
}

static int
restore_arguments (struct restore *restore, char **arguments,
                   struct error *err)
{
  if (image_input_open (arguments[0], &restore->common, &restore->input,
                        err) < 0 ||
      output_open (arguments[1], OUTPUT_SOURCE, restore->force,
                   restore->common.direct, &restore->input.file,
                   &restore->output, err) < 0)
    return -1;
  return write_pages (restore, err);
}

int
cmd_restore (int argc, char **argv)
{
  static const struct command command = {
    .synopsis = SYNOPSIS,
    .help = help,
    .letters = COMMON_LETTERS,
    .options = long_options,
    .argument_count = 2,
    .take = take_option,
  };
  struct restore restore = { .input = IMAGE_INPUT_CLOSED,
                             .output = OUTPUT_CLOSED };
  struct error err = { 0 };
  int result;

  result = command_parse (&command, argc, argv, &restore.common, &restore,
                          &err);
  if (result == 0)
    result = restore_arguments (&restore, argv + optind, &err);
  output_abandon (&restore.output);
  image_input_close (&restore.input, result == 0);
  return result < 0 ? say_error (&err) : say_end_report ();
}
