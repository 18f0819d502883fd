/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress plugin-check: does a codec plugin keep what it has to? */

#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "cmd/confine.h"
#include "cmd/signals.h"
#include "cmd/verbs.h"
#include "plugin/check.h"
#include "util/visible.h"

#define SYNOPSIS "iopress plugin-check [OPTION]... PLUGIN.so"

static const char help[] =
  "Usage: " SYNOPSIS "\n"
  "Try everything that iopress asks of a codec plugin, each check in a\n"
  "process of its own, and print what came of it as TAP (Test Anything\n"
  "Protocol).  The exit status is 0 when all holds.\n"
  "\n"
  "      --only=CHECK        try this one alone, a name from the output\n";

struct plugin_check_state {
  struct common_options common;
  const char *only;
  unsigned int number;         /* of the last check reported */
};

static const struct option long_options[] = {
  COMMON_LONG_OPTIONS,
  { "only", required_argument, NULL,
    OPTION_TEXT (struct plugin_check_state, only) },
  { NULL, 0, NULL, 0 },
};

/* The folder and the codec's name in the path of a plugin, as the loader wants
 * them.
 */
static int
split_path (const char *path, char folder[PATH_MAX], char name[NAME_MAX + 1],
            struct error *err)
{
  const char *slash = strrchr (path, '/');
  const char *base = slash != NULL ? slash + 1 : path;
  size_t length = strlen (base);
  char above[PATH_MAX];

  if (length < 4 || strcmp (base + length - 3, ".so") != 0 ||
      length > NAME_MAX || (size_t) (base - path) >= sizeof above)
    return error_about (err, ERROR_USAGE, 0, path,
                        "is not the path of a plugin, NAME.so");
  memcpy (name, base, length - 3);
  name[length - 3] = '\0';
  snprintf (above, sizeof above, "%.*s.", (int) (base - path), path);
  if (realpath (above, folder) == NULL)
    return error_about (err, ERROR_FAILED, errno, path, "cannot be found");
  return 0;
}

static void
report (void *opaque, const struct check_result *result)
{
  struct plugin_check_state *state = opaque;
  bool fails = result->outcome == CHECK_FAILS;

  printf ("%sok %u - %s: %s", fails ? "not " : "", ++state->number,
          result->name, result->meaning);
  if (result->outcome == CHECK_SKIPPED)
    printf (" # SKIP %s", result->text);
  else if (result->text[0] != '\0') {
    printf ("\n# %s: ", result->name);
    visible_print (stdout, result->text);
  }
  putchar ('\n');
  fflush (stdout);
}

static int
run (void *opaque, char **operands, struct error *err)
{
  struct plugin_check_state *state = opaque;
  char folder[PATH_MAX], name[NAME_MAX + 1];
  struct plugin_check check = {
    .folder = folder,
    .name = name,
    .reference_folder = state->common.plugin_folder,
    .only = state->only,
    .cancelled = signals_received (),
    .report = report,
    .opaque = state,
  };
  int failed;

  /* As with --plugin-dir. */
  if (getauxval (AT_SECURE) != 0)
    return error_set (err, ERROR_USAGE, 0,
                      "plugin-check is not for a privileged process");
  if (confine_privileges (&state->common, PRIVILEGES_READ, err) < 0 ||
      split_path (operands[0], folder, name, err) < 0)
    return -1;
  printf ("TAP version 13\n1..%u\n",
          state->only != NULL ? 1 : plugin_check_count ());
  failed = plugin_check_run (&check, err);
  if (failed < 0)
    return -1;
  if (state->only == NULL && state->number < plugin_check_count ())
    puts ("Bail out! The plugin cannot be loaded");
  if (failed == 0)
    return 0;
  return error_about (err, ERROR_FAILED, 0, operands[0],
                      "does not keep what %d of the checks ask for", failed);
}

const struct verb plugin_check_verb = {
  .name = "plugin-check",
  .summary = "test a codec plugin",
  .synopsis = SYNOPSIS,
  .help = help,
  .letters = COMMON_LETTERS,
  .options = long_options,
  .operand_count = 1,
  VERB_STATE (struct plugin_check_state, .only = NULL),
  .run = run,
};
