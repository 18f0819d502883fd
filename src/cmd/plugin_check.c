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
#include "io/file.h"
#include "plugin/check.h"
#include "util/bytes.h"
#include "util/visible.h"

#define SYNOPSIS "iopress plugin-check [OPTION]... PLUGIN.so"

static const char help[] =
  "Usage: " SYNOPSIS "\n"
  "Try everything that iopress asks of a codec plugin, each check in a\n"
  "process of its own, and print what came of it as TAP (Test Anything\n"
  "Protocol).  The exit status is 0 when all holds.\n"
  "\n"
  "      --only=CHECK        try this one alone, a name from the output\n"
  "      --pages=FILE        with pages of the guest whose memory FILE holds\n";

/* The most pages that are taken, from so many places in the file. */
#define PAGES_MAX 4096u
#define PLACES 512u

struct plugin_check_state {
  struct common_options common;
  const char *only, *pages;
  unsigned int number;         /* of the last check reported */
};

static const struct option long_options[] = {
  COMMON_LONG_OPTIONS,
  { "only", required_argument, NULL,
    OPTION_TEXT (struct plugin_check_state, only) },
  { "pages", required_argument, NULL,
    OPTION_TEXT (struct plugin_check_state, pages) },
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

/* Pages that are not zero, from all over FILE, into room for PAGES_MAX: some in
 * a row, as they stand there.  Returns their bytes, or -1 with ERR.
 */
static int64_t
take_pages (const struct file *file, uint8_t *pages, struct error *err)
{
  uint64_t count = file->size / PAGE_BYTES, run = PAGES_MAX / PLACES;
  uint64_t step = count > PAGES_MAX ? count / PLACES : run, i;
  size_t taken = 0;

  for (i = 0; i < count && taken < PAGES_MAX;
       i += i % step + 1 < run ? 1 : step - i % step) {
    if (file_read_at (file, i * PAGE_BYTES, pages + taken * PAGE_BYTES,
                      PAGE_BYTES, err) < 0)
      return -1;
    taken += !bytes_are_zero (pages + taken * PAGE_BYTES, PAGE_BYTES);
  }
  if (taken == 0)
    return error_about (err, ERROR_BAD_INPUT, 0, file->name,
                        "has no page that is not zero");
  return (int64_t) (taken * PAGE_BYTES);
}

/* Fill CHECK with pages of the file NAME, to be freed. */
static int
read_pages (const char *name, struct plugin_check *check, struct error *err)
{
  struct file file = FILE_CLOSED;
  int64_t bytes = -1;
  uint8_t *pages;

  pages = malloc ((size_t) PAGES_MAX * PAGE_BYTES);
  if (pages == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot read pages");
  if (file_open_seekable (name, "FILE of --pages must be", FILE_READ,
                          FILE_HOW (DIRECT_IO_OFF), &file, err) == 0)
    bytes = take_pages (&file, pages, err);
  file_close (&file);
  if (bytes < 0) {
    free (pages);
    return -1;
  }
  check->pages = pages;
  check->pages_bytes = (size_t) bytes;
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
check_and_report (struct plugin_check_state *state,
                  const struct plugin_check *check, struct error *err)
{
  unsigned int count = state->only != NULL ? 1 : plugin_check_count ();
  int failed;

  printf ("TAP version 13\n1..%u\n", count);
  failed = plugin_check_run (check, err);
  if (failed >= 0 && state->number < count)
    puts ("Bail out! The plugin cannot be loaded");
  return failed;
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
  if (state->pages != NULL && read_pages (state->pages, &check, err) < 0)
    return -1;
  failed = check_and_report (state, &check, err);
  free (check.pages);
  if (failed <= 0)
    return failed;
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
