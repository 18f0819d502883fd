/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options that several verbs share. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "cmd/confine.h"
#include "cmd/options.h"
#include "format/format.h"
#include "sandbox/memory_only.h"
#include "util/size.h"

#define THREADS_MAX 4096
#define DESCRIPTOR_MAX (1 << 20)

static int
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

static int
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
  error_about (err, ERROR_USAGE, 0, what, "is no descriptor");
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

/* What cannot be confined is not, by default: where it must be, say so now. */
static int
sandbox_option (struct common_options *options, struct error *err)
{
  static const char *const modes[] = { "auto", "on", "off", NULL };
  int choice = option_choice ("--sandbox", modes, err);

  if (choice < 0)
    return -1;
  options->sandbox = (enum sandbox_mode) choice;
  if (options->sandbox == SANDBOX_ON && confine_check (err) < 0)
    return error_context (err, "--sandbox=on");
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
  case 'c':
    options->codec_text = optarg;
    return 0;
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
    options->how.direct = (enum direct_io) choice;
    return choice < 0 ? -1 : 0;
  case OPTION_PROGRESS:
    choice = option_choice ("--progress", progress, err);
    options->progress = (enum progress_mode) choice;
    return choice < 0 ? -1 : 0;
  case OPTION_PROGRESS_FD:
    return option_descriptor ("--progress-fd", O_WRONLY,
                              &options->progress_fd, err);
  case OPTION_SANDBOX:
    return sandbox_option (options, err);
  default:
    return 1;
  }
}

struct run_options
run_options_of (const struct common_options *common)
{
  struct error missing = { 0 };

  return (struct run_options) {
    .threads = common->threads,
    .confined = common->sandbox != SANDBOX_OFF &&
      memory_only_available (&missing) == 0,
    .cancelled = common->how.cancelled,
  };
}
