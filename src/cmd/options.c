/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options that several verbs share. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/options.h"
#include "cmd/signals.h"
#include "format/format.h"
#include "util/size.h"

#define THREADS_MAX 4096
#define DESCRIPTOR_MAX (1 << 20)

static const char common_help[] =
  "  -T, --threads=N         use N worker threads; 0 (the default): as many as\n"
  "                          there are processors; serial: no thread at all\n"
  "      --direct-io=WHEN    bypass the page cache: auto (default), on, off\n"
  "      --plugin-dir=DIR    load codecs from DIR\n"
  "      --progress=WHEN     a progress bar: auto (default), bar, none\n"
  "      --progress-fd=N     write progress to descriptor N, one JSON object\n"
  "                          a line\n"
  "  -q, --quiet             print nothing but errors\n"
  "  -v, --verbose           say more about what is done\n"
  "      --help              show this help\n";

int
option_number (const char *option, uint64_t low, uint64_t high,
               uint64_t *value, struct error *err)
{
  if (optarg[0] == '\0' || strspn (optarg, "0123456789") != strlen (optarg) ||
      !size_parse (optarg, value) || *value < low || *value > high)
    return error_set (err, ERROR_USAGE, 0,
                      "%s takes a number from %llu to %llu, not \"%s\"",
                      option, (unsigned long long) low,
                      (unsigned long long) high, optarg);
  return 0;
}

int
option_size (const char *option, uint64_t *value, struct error *err)
{
  if (!size_parse (optarg, value))
    return error_set (err, ERROR_USAGE, 0,
                      "%s takes a size such as 512K or 64M, not \"%s\"",
                      option, optarg);
  return 0;
}

int
option_chunk_size (uint32_t *chunk_bytes, struct error *err)
{
  uint64_t size;

  if (option_size ("--chunk-size", &size, err) < 0)
    return -1;
  if (size > UINT32_MAX || !chunk_bytes_valid ((uint32_t) size))
    return error_set (err, ERROR_USAGE, 0,
                      "--chunk-size takes a power of two from 64K to 16M, "
                      "not \"%s\"", optarg);
  *chunk_bytes = (uint32_t) size;
  return 0;
}

int
option_choice (const char *option, const char *const *choices,
               struct error *err)
{
  char list[128] = "";
  int i;

  for (i = 0; choices[i] != NULL; i++) {
    if (strcmp (optarg, choices[i]) == 0)
      return i;
    strncat (list, i > 0 ? ", " : "", sizeof list - strlen (list) - 1);
    strncat (list, choices[i], sizeof list - strlen (list) - 1);
  }
  return error_set (err, ERROR_USAGE, 0, "%s takes one of %s, not \"%s\"",
                    option, list, optarg);
}

static int
threads_option (struct common_options *options, struct error *err)
{
  uint64_t value;

  if (strcmp (optarg, "serial") == 0) {
    options->threads = 0;
    return 0;
  }
  if (option_number ("--threads", 0, THREADS_MAX, &value, err) < 0)
    return -1;
  options->threads = value > 0 ? (unsigned int) value : processor_count ();
  return 0;
}

/* Another folder means other code: not for a caller with fewer rights. */
static int
plugin_folder_option (struct common_options *options, struct error *err)
{
  if (getauxval (AT_SECURE) != 0)
    return error_set (err, ERROR_USAGE, 0,
                      "--plugin-dir is not for a privileged process");
  options->plugin_folder = optarg;
  return 0;
}

int
descriptor_check (int fd, const char *what, struct error *err)
{
  if (fcntl (fd, F_GETFL) >= 0)
    return 0;
  return error_set (err, ERROR_USAGE, errno, "%s: descriptor %d", what, fd);
}

int
descriptor_check_name (const char *name, const char *what, struct error *err)
{
  int fd = file_descriptor_of (name);

  if (fd >= 0)
    return descriptor_check (fd, what, err);
  if (strncmp (name, "fd:", 3) != 0)
    return 0;
  error_set (err, ERROR_USAGE, 0, "is no descriptor");
  error_subject (err, what);
  return error_hint (err, "a file of that name is \"./%s\"", name);
}

int
option_descriptor (const char *option, int access, int *fd,
                   struct error *err)
{
  uint64_t value;
  int mode;

  if (option_number (option, 0, DESCRIPTOR_MAX, &value, err) < 0 ||
      descriptor_check ((int) value, option, err) < 0)
    return -1;
  *fd = (int) value;
  mode = fcntl (*fd, F_GETFL) & O_ACCMODE;
  if (mode == access || mode == O_RDWR)
    return 0;
  return error_set (err, ERROR_USAGE, 0,
                    "%s: descriptor %d is not open for %s", option, *fd,
                    access == O_RDONLY ? "reading" : "writing");
}

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
check_operands (int count, char **operands, int progress_fd,
                struct error *err)
{
  int i;

  for (i = 0; i < count; i++) {
    if (operands[i][0] == '\0')
      return error_set (err, ERROR_USAGE, 0, "the name of a file is empty");
    if (descriptor_check_name (operands[i], operands[i], err) < 0)
      return -1;
    if (is_progress_file (operands[i], i > 0, progress_fd)) {
      error_set (err, ERROR_USAGE, 0,
                 "would get the lines of --progress-fd %d", progress_fd);
      return error_subject (err, operands[i]);
    }
  }
  return 0;
}

int
common_option (struct common_options *options, int c, struct error *err)
{
  static const char *const direct[] = { "auto", "on", "off", NULL };
  static const char *const progress[] = { "auto", "bar", "none", NULL };
  int choice = 0;

  switch (c) {
  case 'T':
    return threads_option (options, err);
  case 'q':
    options->quiet = true;
    return 0;
  case 'v':
    options->verbose = true;
    return 0;
  case OPTION_HELP:
    options->help = true;
    return 0;
  case OPTION_PLUGIN_DIR:
    return plugin_folder_option (options, err);
  case OPTION_DIRECT_IO:
    choice = option_choice ("--direct-io", direct, err);
    options->direct = (enum direct_io) choice;
    return choice < 0 ? -1 : 0;
  case OPTION_PROGRESS:
    choice = option_choice ("--progress", progress, err);
    options->progress = (enum progress_mode) choice;
    return choice < 0 ? -1 : 0;
  case OPTION_PROGRESS_FD:
    return option_descriptor ("--progress-fd", O_WRONLY,
                              &options->progress_fd, err);
  case ':':
    return error_set (err, ERROR_USAGE, 0, "the option needs a value");
  default:
    error_set (err, ERROR_USAGE, 0, "no such option, or it takes no value");
    return error_hint (err, "see --help");
  }
}

static int
check_arguments (const struct command *command, int count, char **arguments,
                 int progress_fd, const void *opaque, struct error *err)
{
  int most = command->argument_count;
  bool few = count < most - command->optional_arguments;
  bool runs = command->runs_command != NULL && command->runs_command (opaque);

  if (few || (count > most && !runs)) {
    error_set (err, ERROR_USAGE, 0, "%s arguments",
               few ? "missing" : "too many");
    return error_hint (err, "usage: %s", command->synopsis);
  }
  return check_operands (runs ? most - 1 : count, arguments, progress_fd, err);
}

static int
take_option (const struct command *command, int c,
             struct common_options *common, void *opaque, struct error *err)
{
  return command->take != NULL ? command->take (opaque, c, err)
    : common_option (common, c, err);
}

int
command_parse (const struct command *command, int argc, char **argv,
               struct common_options *common, void *opaque,
               struct error *err)
{
  int c;

  *common = (struct common_options) {
    .threads = processor_count (),
    .progress_fd = -1,
  };
  opterr = 0;
  while ((c = getopt_long (argc, argv, command->letters, command->options,
                           NULL)) != -1)
    if (take_option (command, c, common, opaque, err) < 0) {
      if (c == '?' || c == ':')
        error_context (err, "%s", argv[optind - 1]);
      return -1;
    }
  if (common->help) {
    fputs (command->help, stdout);
    fputs (common_help, stdout);
    return 1;
  }
  return check_arguments (command, argc - optind, argv + optind,
                          common->progress_fd, opaque, err);
}

struct run_options
run_options_of (const struct common_options *common)
{
  return (struct run_options) {
    .threads = common->threads,
    .cancelled = signals_received (),
  };
}
