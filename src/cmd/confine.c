/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a verb gives up of what it may do, as --sandbox says. */

#include <config.h>

#include <fcntl.h>
#include <stdio.h>

#include "cmd/confine.h"
#include "sandbox/memory_only.h"
#include "sandbox/system_calls.h"
#include "util/cleanup.h"

int
confine_check (struct error *err)
{
  return memory_only_available (err) < 0 ? -1 : privileges_available (err);
}

/* RESULT, with WHY, is of what was given up: where it was not, that is an error
 * if the command line says so.
 */
static int
settle (const struct common_options *common, int result,
        const struct error *why, struct error *err)
{
  if (result == 0 || common->sandbox != SANDBOX_ON)
    return 0;
  *err = *why;
  return error_context (err, "--sandbox=on");
}

int
confine_privileges (const struct common_options *common,
                    enum privileges kept, struct error *err)
{
  struct error without = { 0 };

  return common->sandbox == SANDBOX_OFF ? 0
    : settle (common, privileges_keep (kept, &without), &without, err);
}

static int
confine_files (const struct common_options *common,
               const struct landlock_rule *rules, size_t count,
               struct error *err)
{
  struct error without = { 0 };
  int version = landlock_version (&without);

  return common->sandbox == SANDBOX_OFF || version < 0 ? 0
    : settle (common, landlock_enter (version, rules, count, &without),
              &without, err);
}

static int
confine_calls (const struct common_options *common, enum privileges kept,
               struct error *err)
{
  struct error without = { 0 };

  return common->sandbox == SANDBOX_OFF ? 0
    : settle (common, system_calls_keep (kept, &without), &without, err);
}

int
confine_to (const struct common_options *common, enum privileges kept,
            const struct file *input, enum landlock_access access,
            const struct output *output, struct error *err)
{
  const struct landlock_rule rules[] = {
    { input->fd, access },
    { output != NULL ? output->file.fd : -1, LANDLOCK_UPDATE },
    { output != NULL ? output->draft.place.folder : -1, LANDLOCK_NAMES },
  };

  return confine_files (common, rules, sizeof rules / sizeof rules[0],
                        err) < 0 ? -1 : confine_calls (common, kept, err);
}

int
confine_to_folder (const struct common_options *common,
                   const struct file *file, int folder, struct error *err)
{
  enum privileges kept = folder >= 0 ? PRIVILEGES_REPLACE : PRIVILEGES_READ;
  CLEANUP_CLOSE int root = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  const struct landlock_rule rules[] = {
    { root, LANDLOCK_READ },
    { file != NULL ? file->fd : -1, LANDLOCK_UPDATE },
    { folder, LANDLOCK_NAMES },
  };

  if (root >= 0 &&
      confine_files (common, rules, sizeof rules / sizeof rules[0], err) < 0)
    return -1;
  return confine_calls (common, kept, err);
}

int
confine_to_reading (const struct common_options *common, struct error *err)
{
  return confine_to_folder (common, NULL, -1, err);
}

static void
print_line (const char *what, int result, const struct error *why)
{
  printf ("%s: %s%s\n", what, result >= 0 ? "yes" : "no, ",
          result >= 0 ? "" : why->what);
}

void
confine_print_report (void)
{
  struct error of_memory = { 0 }, of_privileges = { 0 }, of_files = { 0 };

  print_line ("codecs get memory only", memory_only_available (&of_memory),
              &of_memory);
  print_line ("system calls are limited", memory_only_available (&of_memory),
              &of_memory);
  print_line ("privileges are given up", privileges_available (&of_privileges),
              &of_privileges);
  print_line ("files are closed to it", landlock_version (&of_files),
              &of_files);
}
