/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verb of the command line: what it takes, and what is done with that. */

#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/options.h"
#include "cmd/say.h"
#include "cmd/signals.h"
#include "cmd/verb.h"
#include "sandbox/core_dumps.h"
#include "util/cleanup.h"

static const char common_help[] =
  "  -T, --threads=N         use N worker threads; 0 (the default): as many as\n"
  "                          there are processors; serial: no thread at all\n"
  "      --direct-io=WHEN    bypass the page cache: auto (default), on, off\n"
  "      --plugin-dir=DIR    load codecs from DIR\n"
  "      --progress=WHEN     a progress bar: auto (default), bar, none\n"
  "      --progress-fd=N     write progress to descriptor N, one JSON object\n"
  "                          a line\n"
  "      --sandbox=WHEN      let codecs touch memory only, and give up what the\n"
  "                          verb does not need: auto (default: as far as it\n"
  "                          can be had), on, off\n"
  "  -q, --quiet             print nothing but errors\n"
  "  -v, --verbose           say more about what is done\n"
  "      --help              show this help\n";

/* Whether ARGUMENT names the file or pipe that PROGRESS_FD has open.  A socket
 * as input may well take progress in its other direction.
 */
static bool
is_progress_file (const char *argument, bool output, int progress_fd)
{
  struct stat progress, named;
  int fd = file_descriptor_of (argument);

  if (strcmp (argument, "-") == 0)
    fd = output ? STDOUT_FILENO : STDIN_FILENO;
  return progress_fd >= 0 && fstat (progress_fd, &progress) == 0 &&
    !S_ISCHR (progress.st_mode) && (output || !S_ISSOCK (progress.st_mode)) &&
    (fd >= 0 ? fstat (fd, &named) : stat (argument, &named)) == 0 &&
    named.st_dev == progress.st_dev && named.st_ino == progress.st_ino;
}

static int
check_operands (const struct verb *verb, int count, char **operands,
                int progress_fd, struct error *err)
{
  int i;

  for (i = 0; i < count; i++) {
    if (operands[i][0] == '\0')
      return error_set (err, ERROR_USAGE, 0, "the name of a file is empty");
    if (descriptor_check_name (operands[i], operands[i], err) < 0)
      return -1;
    if (is_progress_file (operands[i], i > 0 && !verb->many_operands,
                          progress_fd))
      return error_about (err, ERROR_USAGE, 0, operands[i],
                          "would get the lines of --progress-fd %d",
                          progress_fd);
  }
  return 0;
}

static int
check_count (const struct verb *verb, int count, bool runs, struct error *err)
{
  bool few = count < verb->operand_count - verb->optional_operands;

  if (!few && (count <= verb->operand_count || runs ||
               verb->many_operands))
    return 0;
  error_set (err, ERROR_USAGE, 0, "%s arguments", few ? "missing" : "too many");
  return error_hint (err, "usage: %s", verb->synopsis);
}

static int
take_option (const struct verb *verb, void *state, int c, struct error *err)
{
  char *bytes = state;
  int result = 0;

  if (c >= OPTION_TEXTS)
    *(const char **) (void *) (bytes + (c - OPTION_TEXTS)) = optarg;
  else if (c >= OPTION_FLAGS)
    *(bool *) (bytes + (c - OPTION_FLAGS)) = true;
  else
    result = common_option (state, c, err);
  return result > 0 ? verb->take (state, c, err) : result;
}

static int
refuse_option (int c, const char *option, struct error *err)
{
  if (c == ':')
    error_set (err, ERROR_USAGE, 0, "the option needs a value");
  else {
    error_set (err, ERROR_USAGE, 0, "no such option, or it takes no value");
    error_hint (err, "see --help");
  }
  return error_context (err, "%s", option);
}

static int
parse (const struct verb *verb, void *state, int argc, char **argv,
       struct error *err)
{
  struct common_options *common = state;
  int c, count;
  bool runs;

  opterr = 0;
  while ((c = getopt_long (argc, argv, verb->letters, verb->options,
                           NULL)) != -1)
    if (c == ':' || c == '?')
      return refuse_option (c, argv[optind - 1], err);
    else if (take_option (verb, state, c, err) < 0)
      return -1;
  if (common->help)
    return 0;
  common->verbose = common->verbose && !common->quiet;
  count = argc - optind;
  runs = verb->runs_command != NULL && verb->runs_command (state);
  if (check_count (verb, count, runs, err) < 0)
    return -1;
  return check_operands (verb, runs ? verb->operand_count - 1 : count,
                         argv + optind, common->progress_fd, err);
}

static int
print_help (const struct verb *verb)
{
  fputs (verb->help, stdout);
  fputs (common_help, stdout);
  return 0;
}

/* Returns the exit status, or -1 with ERR. */
static int
take_and_run (const struct verb *verb, int argc, char **argv,
              struct error *err)
{
  CLEANUP_FREE struct common_options *common = malloc (verb->state_bytes);
  int result;

  if (common == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot begin");
  memcpy (common, verb->state, verb->state_bytes);
  common->threads = processor_count ();
  common->progress_fd = -1;
  common->how.cancelled = signals_received ();
  result = parse (verb, common, argc, argv, err);
  if (result == 0)
    result = common->help ? print_help (verb)
      : verb->run (common, argv + optind, err);
  if (verb->end != NULL)
    verb->end (common, result >= 0);
  return result;
}

/* What goes for every verb, where nothing better was said.  OPERAND is the first
 * one, or NULL.
 */
static void
advise (struct error *err, const char *operand)
{
  if (err->kind == ERROR_CANCELLED && operand != NULL)
    error_subject (err, strcmp (operand, "-") == 0 ? "standard input"
                   : operand);
  if (err->hint[0] != '\0')
    return;
  if (err->kind == ERROR_CANCELLED)
    error_hint (err, "nothing is lost");
  if (err->kind != ERROR_FAILED)
    return;
  if (err->errnum == ENOSPC || err->errnum == EDQUOT)
    error_hint (err, "nothing is lost; make room there, or choose another "
                "place");
  if (err->errnum == EACCES && geteuid () != 0)
    error_hint (err, "somebody who may, such as root, has to do it");
}

int
verb_run (const struct verb *verb, int argc, char **argv)
{
  struct error err = { 0 };
  int result;

  core_dumps_stop ();
  result = take_and_run (verb, argc, argv, &err);
  if (result == 0)
    result = say_end_report (&err);
  advise (&err, argv[optind]);
  return result >= 0 ? result
    : say_error_and_command (&err, (const char *const *) argv + optind);
}
