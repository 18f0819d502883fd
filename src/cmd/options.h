/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options that several verbs share. */

#ifndef IOPRESS_CMD_OPTIONS_H
#define IOPRESS_CMD_OPTIONS_H

#include <getopt.h>
#include <stdint.h>

#include "io/file.h"
#include "pipeline/run.h"

enum progress_mode {
  PROGRESS_AUTO,               /* a bar when standard error is a terminal */
  PROGRESS_BAR,
  PROGRESS_NONE,
};

struct common_options {
  unsigned int threads;        /* workers; 0: serial */
  enum direct_io direct;
  enum progress_mode progress;
  int progress_fd;             /* -1: none */
  const char *plugin_folder;   /* NULL: the compiled-in one */
  bool quiet, verbose;
  bool help;
};

/* Values of long options without a letter; verbs go on from OPTION_VERB. */
enum {
  OPTION_DIRECT_IO = 256,
  OPTION_PLUGIN_DIR,
  OPTION_PROGRESS,
  OPTION_PROGRESS_FD,
  OPTION_HELP,
  OPTION_VERB,
};

/* Letters and long options that every verb with a pipeline takes. */
#define COMMON_LETTERS ":T:qv"
#define COMMON_LONG_OPTIONS \
  { "threads", required_argument, NULL, 'T' }, \
  { "direct-io", required_argument, NULL, OPTION_DIRECT_IO }, \
  { "plugin-dir", required_argument, NULL, OPTION_PLUGIN_DIR }, \
  { "progress", required_argument, NULL, OPTION_PROGRESS }, \
  { "progress-fd", required_argument, NULL, OPTION_PROGRESS_FD }, \
  { "quiet", no_argument, NULL, 'q' }, \
  { "verbose", no_argument, NULL, 'v' }, \
  { "help", no_argument, NULL, OPTION_HELP }

/* The command line of a verb. */
struct command {
  const char *synopsis;
  const char *help;            /* everything but the common options */
  const char *letters;         /* COMMON_LETTERS and the verb's */
  const struct option *options;
  int argument_count;          /* after the options */
  int optional_arguments;      /* of them, at the end */
  /* Take one option that getopt_long returned as C; hand on to common_option
   * what is not the verb's own.  NULL: no own options.
   */
  int (*take) (void *opaque, int c, struct error *err);
  /* Whether, after all options, the last argument begins a command: it and any
   * number behind it are not files then.  NULL: never.
   */
  bool (*runs_command) (const void *opaque);
};

/* Read a verb's options into COMMON and, through its take function, OPAQUE;
 * the arguments stand at argv[optind] then.  Returns 0; 1 when help was asked
 * for and printed; -1 with ERR (ERROR_USAGE).
 */
int command_parse (const struct command *command, int argc, char **argv,
                   struct common_options *common, void *opaque,
                   struct error *err);

/* Take one option that getopt_long returned as C and the verb does not know
 * itself.  Returns 0, or -1 with ERR (ERROR_USAGE).
 */
int common_option (struct common_options *options, int c,
                   struct error *err);

/* Read getopt_long's optarg as a number within bounds, or as a size with
 * suffix.  Returns 0, or -1 with ERR (ERROR_USAGE) naming OPTION.
 */
int option_number (const char *option, uint64_t low, uint64_t high,
                   uint64_t *value, struct error *err);
int option_size (const char *option, uint64_t *value, struct error *err);

/* Read optarg, of --chunk-size.  Returns 0, or -1 with ERR (ERROR_USAGE). */
int option_chunk_size (uint32_t *chunk_bytes, struct error *err);

/* Read optarg as the number of a descriptor, which must be open now: later it
 * would become that of one of our own files.  ACCESS: O_RDONLY or O_WRONLY, in
 * which direction it must be open.  Returns 0, or -1 with ERR (ERROR_USAGE).
 */
int option_descriptor (const char *option, int access, int *fd,
                       struct error *err);
int descriptor_check (int fd, const char *what, struct error *err);

/* Refuse NAME, what WHAT names, when it is a descriptor that is not open, or
 * begins like one and is none: no file is meant then.  Returns 0, or -1 with
 * ERR (ERROR_USAGE).
 */
int descriptor_check_name (const char *name, const char *what,
                           struct error *err);

/* The index of optarg in CHOICES, a NULL-terminated list, or -1 with ERR. */
int option_choice (const char *option, const char *const *choices,
                   struct error *err);

/* The run options that COMMON asks for, cancelled by signals. */
struct run_options run_options_of (const struct common_options *common);

#endif /* IOPRESS_CMD_OPTIONS_H */
