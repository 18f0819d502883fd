/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress restore: an image becomes its source again. */

#include <config.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/confine.h"
#include "cmd/image_run.h"
#include "cmd/output.h"
#include "cmd/placeholders.h"
#include "cmd/program.h"
#include "cmd/verbs.h"
#include "pipeline/page_sink.h"

#define SYNOPSIS_OUTPUT "iopress restore [OPTION]... IMAGE OUTPUT"
#define SYNOPSIS_TMPFILE \
  "iopress restore --tmpfile DIR [OPTION]... IMAGE -- COMMAND [ARGUMENT]..."
#define SYNOPSIS SYNOPSIS_OUTPUT ", or " SYNOPSIS_TMPFILE

static const char help[] =
  "Usage: " SYNOPSIS_OUTPUT "\n"
  "       " SYNOPSIS_TMPFILE "\n"
  "Decompress IMAGE into OUTPUT, a sparse file that QEMU can load.  Each is a\n"
  "path, fd:N for an inherited descriptor, or - for standard input or output.\n"
  "\n"
  "      --force             replace OUTPUT if it exists\n"
  "      --tmpfile=DIR       into a file without a name in DIR; then run\n"
  "                          COMMAND with its path in place of {} and the\n"
  "                          number of an inherited descriptor for {fd}, and\n"
  "                          exit with its status\n";

struct restore {
  struct common_options common;
  bool force;
  const char *folder;          /* of the temporary file, or NULL */
  struct image_input input;
  struct progress *progress;   /* or NULL */
  struct output output;
  int reader;                  /* of the temporary file, or -1 */
  char path[64];               /* that opens it as long as READER is open */
};

static const struct option long_options[] = {
  COMMON_LONG_OPTIONS,
  { "force", no_argument, NULL, OPTION_FLAG (struct restore, force) },
  { "tmpfile", required_argument, NULL, OPTION_TEXT (struct restore, folder) },
  { NULL, 0, NULL, 0 },
};

static bool
runs_command (const void *state)
{
  const struct restore *restore = state;

  return restore->folder != NULL;
}

/* getopt_long moves IMAGE behind the "--". */
static int
check_arguments (const struct restore *restore, char **arguments,
                 struct error *err)
{
  if (restore->folder == NULL)
    return 0;
  if (restore->force) {
    error_set (err, ERROR_USAGE, 0,
               "--force has nothing to replace with --tmpfile");
    return -1;
  }
  if (strcmp (arguments[-1], "--") == 0 && strcmp (arguments[1], "--") != 0)
    return 0;
  error_set (err, ERROR_USAGE, 0, "one -- must stand before COMMAND");
  return error_hint (err, "usage: %s", SYNOPSIS_TMPFILE);
}

static int
write_pages (struct restore *restore, struct error *err)
{
  struct image_input *input = &restore->input;
  struct sink sink;
  struct image_run run = {
    .verb = "restore",
    .common = &restore->common,
    .sink = &sink,
    .cached = true,
  };
  int result;

  if (page_sink_open (&restore->output.file, input->image, &sink, err) < 0)
    return -1;
  result = image_run (input, &run, err);
  restore->progress = run.progress;
  sink_close (&sink);
  if (result < 0)
    return -1;
  /* Without a commit it is emptied at the end, whoever still has it open. */
  return restore->folder != NULL ? file_sync (&restore->output.file, err)
    : output_commit (&restore->output, err);
}

/* Open the temporary file for the command, which must find in it what was
 * written.
 */
static int
open_reader (struct restore *restore, struct error *err)
{
  struct file *file = &restore->output.file;

  restore->reader = file_open_reader (file, err);
  if (restore->reader >= 0) {
    snprintf (restore->path, sizeof restore->path, "/proc/%ld/fd/%d",
              (long) getpid (), restore->reader);
    if (file_check_path (file, restore->path, err) == 0)
      return 0;
  }
  if (err->kind == ERROR_FAILED)
    error_hint (err, "DIR may be on a file system that cannot open files "
                "without a name again: choose another");
  return -1;
}

/* As above: where it cannot be opened again that is known before it is
 * written.
 */
static int
open_unnamed (struct restore *restore, struct error *err)
{
  if (output_open_unnamed (restore->folder, restore->common.how,
                           &restore->output, err) < 0 ||
      open_reader (restore, err) < 0)
    return -1;
  close (restore->reader);
  restore->reader = -1;
  return 0;
}

static int
open_output (struct restore *restore, const char *name, struct error *err)
{
  struct output_how how = {
    OUTPUT_SOURCE, restore->force, restore->common.how
  };

  return restore->folder != NULL ? open_unnamed (restore, err)
    : output_open (name, how, &restore->input.file, &restore->output, err);
}

/* COMMAND gets what the caller has. */
static int
confine (const struct restore *restore, struct error *err)
{
  return restore->folder != NULL ? 0
    : confine_privileges (&restore->common, PRIVILEGES_WRITE, err);
}

static int
confine_opened (const struct restore *restore, struct error *err)
{
  return restore->folder != NULL ? 0
    : confine_to (&restore->common, PRIVILEGES_WRITE, &restore->input.file,
                  LANDLOCK_READ, &restore->output, err);
}

static int
restore_arguments (struct restore *restore, char **arguments,
                   struct error *err)
{
  struct image_options how = image_options_of (&restore->common);

  if (check_arguments (restore, arguments, err) < 0 ||
      confine (restore, err) < 0 ||
      image_input_open (arguments[0], &how, &restore->input, err) < 0 ||
      open_output (restore, arguments[1], err) < 0)
    return -1;
  if (confine_opened (restore, err) < 0 || write_pages (restore, err) < 0)
    return -1;
  return restore->folder != NULL ? open_reader (restore, err) : 0;
}

/* Run the command of ARGUMENTS, IMAGE COMMAND..., on the temporary file.
 * Returns its exit status, or -1 with ERR.
 */
static int
run_command (const struct restore *restore, char *const *arguments,
             struct error *err)
{
  char number[16];
  const struct placeholder placeholders[] = {
    { "{}", restore->path },
    { "{fd}", number },
    { NULL, NULL },
  };
  struct program program = {
    .descriptor = restore->reader,
    .empty_input = strcmp (arguments[0], "-") == 0 ||
      file_descriptor_of (arguments[0]) == STDIN_FILENO,
  };
  char **filled;
  int result, status;

  snprintf (number, sizeof number, "%d", restore->reader);
  filled = placeholders_fill (placeholders, arguments + 1, err);
  if (filled == NULL)
    return -1;
  program.arguments = filled;
  result = program_run (&program, &status, err);
  arguments_free (filled);
  return result < 0 ? -1 : status;
}

/* Of both ends only the first counts. */
static void
close_input (struct restore *restore, bool succeeded)
{
  progress_end (&restore->progress, succeeded);
  image_input_close (&restore->input);
}

static int
run (void *state, char **operands, struct error *err)
{
  struct restore *restore = state;
  int result = restore_arguments (restore, operands, err);

  close_input (restore, result == 0);
  return result == 0 && restore->reader >= 0
    ? run_command (restore, operands, err) : result;
}

static void
end (void *state, bool succeeded)
{
  struct restore *restore = state;

  close_input (restore, succeeded);
  if (restore->reader >= 0)
    close (restore->reader);
  output_abandon (&restore->output);
}

const struct verb restore_verb = {
  .name = "restore",
  .summary = "decompress an image into a sparse file",
  .synopsis = SYNOPSIS,
  .help = help,
  .letters = COMMON_LETTERS,
  .options = long_options,
  .operand_count = 2,
  VERB_STATE (struct restore, .input = IMAGE_INPUT_CLOSED,
              .output = OUTPUT_CLOSED, .reader = -1),
  .runs_command = runs_command,
  .run = run,
  .end = end,
};
