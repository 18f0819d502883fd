/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress expand: an image becomes its source again in its own place. */

#include <config.h>

#include "cmd/confine.h"
#include "cmd/image_run.h"
#include "cmd/say.h"
#include "cmd/verbs.h"
#include "safety/expand.h"

#define SYNOPSIS "iopress expand [OPTION]... FILE"

static const char help[] =
  "Usage: " SYNOPSIS "\n"
  "Decompress the image FILE in its own place: the same file becomes the save\n"
  "file again that QEMU can load.  The image is kept beside it meanwhile, as\n"
  "FILE.packed-XXXXXXXX.  A FILE that is no image but a whole save file is left\n"
  "as it is.\n\n";

static const struct option long_options[] = {
  COMMON_LONG_OPTIONS,
  { NULL, 0, NULL, 0 },
};

struct expand {
  struct common_options common;
  struct progress *progress;   /* or NULL */
};

static int
run_records (void *opaque, const struct image_input *input, bool verifies,
             const struct sink *sink, struct error *err)
{
  struct expand *expand = opaque;
  struct image_run run = {
    .verb = verifies ? "verify" : "expand",
    .common = &expand->common,
    .sink = sink,
  };
  int result = image_run (input, &run, err);

  if (verifies)
    progress_end (&run.progress, result == 0);
  else
    expand->progress = run.progress;
  return result;
}

/* Which codec it takes, an aside may say. */
static int
confine (void *opaque, const struct file *file, const struct place *place,
         struct error *err)
{
  const struct expand *expand = opaque;

  return confine_to_folder (&expand->common, file, place->folder, err);
}

static void
tell (void *opaque, const struct error *what, bool failed)
{
  const struct expand *expand = opaque;

  if (failed || !expand->common.quiet)
    say_error (what);
}

static int
run (void *state, char **operands, struct error *err)
{
  struct expand *expand = state;
  const struct expand_options options = {
    .image = image_options_of (&expand->common),
    .opaque = expand,
    .run = run_records,
    .confine = confine,
    .tell = tell,
  };

  if (confine_privileges (&expand->common, PRIVILEGES_REPLACE, err) < 0)
    return -1;
  return expand_image (operands[0], &options, err);
}

static void
end (void *state, bool succeeded)
{
  struct expand *expand = state;

  progress_end (&expand->progress, succeeded);
}

const struct verb expand_verb = {
  .name = "expand",
  .summary = "make an image its source again, in its place",
  .synopsis = SYNOPSIS,
  .help = help,
  .letters = COMMON_LETTERS,
  .options = long_options,
  .operand_count = 1,
  VERB_STATE (struct expand, .progress = NULL),
  .run = run,
  .end = end,
};
