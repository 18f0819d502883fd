/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options that several verbs share. */

#ifndef IOPRESS_CMD_OPTIONS_H
#define IOPRESS_CMD_OPTIONS_H

#include <getopt.h>
#include <stddef.h>
#include <stdint.h>

#include "io/file.h"
#include "pipeline/run.h"

enum progress_mode {
  PROGRESS_AUTO,               /* a bar when standard error is a terminal */
  PROGRESS_BAR,
  PROGRESS_NONE,
};

/* --sandbox. */
enum sandbox_mode {
  SANDBOX_AUTO,                /* what can be had */
  SANDBOX_ON,                  /* fail where it cannot */
  SANDBOX_OFF,
};

/* The state of each verb begins with them. */
struct common_options {
  unsigned int threads;        /* workers; 0: serial */
  struct file_how how;         /* cancelled by signals */
  enum progress_mode progress;
  int progress_fd;             /* -1: none */
  const char *plugin_folder;   /* NULL: the compiled-in one */
  enum sandbox_mode sandbox;
  bool quiet, verbose;         /* not both */
  bool help;
  const char *codec_text;      /* -c of the verbs that take one, or NULL */
};

/* Values of long options without a letter; verbs go on from OPTION_VERB.  Those
 * from OPTION_FLAGS on set the bool at so many bytes of the state, those from
 * OPTION_TEXTS on the text there.
 */
enum {
  OPTION_DIRECT_IO = 256,
  OPTION_PLUGIN_DIR,
  OPTION_PROGRESS,
  OPTION_PROGRESS_FD,
  OPTION_SANDBOX,
  OPTION_HELP,
  OPTION_VERB,
  OPTION_FLAGS = 65536,
  OPTION_TEXTS = 2 * OPTION_FLAGS,
};

/* Of an option that does nothing but set the bool MEMBER of the state TYPE. */
#define OPTION_FLAG(type, member) \
  (OPTION_FLAGS + \
   _Generic (((type *) NULL)->member, bool: (int) offsetof (type, member)))

/* The same of one that does nothing but set the text MEMBER to its value. */
#define OPTION_TEXT(type, member) \
  (OPTION_TEXTS + _Generic (((type *) NULL)->member, \
                            const char *: (int) offsetof (type, member)))

/* The option -c, which not every verb has among its letters. */
#define CODEC_LONG_OPTION { "codec", required_argument, NULL, 'c' }

/* Letters and long options that every verb takes. */
#define COMMON_LETTERS ":T:qv"
#define COMMON_LONG_OPTIONS \
  { "threads", required_argument, NULL, 'T' }, \
  { "direct-io", required_argument, NULL, OPTION_DIRECT_IO }, \
  { "plugin-dir", required_argument, NULL, OPTION_PLUGIN_DIR }, \
  { "progress", required_argument, NULL, OPTION_PROGRESS }, \
  { "progress-fd", required_argument, NULL, OPTION_PROGRESS_FD }, \
  { "sandbox", required_argument, NULL, OPTION_SANDBOX }, \
  { "quiet", no_argument, NULL, 'q' }, \
  { "verbose", no_argument, NULL, 'v' }, \
  { "help", no_argument, NULL, OPTION_HELP }

/* Take one option that getopt_long returned as C.  Returns 0; 1 when it is none
 * of the common ones; -1 with ERR (ERROR_USAGE).
 */
int common_option (struct common_options *options, int c,
                   struct error *err);

/* Read getopt_long's optarg as a size with suffix.  Returns 0, or -1 with ERR
 * (ERROR_USAGE) naming OPTION.
 */
int option_size (const char *option, uint64_t *value, struct error *err);

/* Read optarg, of --chunk-size.  Returns 0, or -1 with ERR (ERROR_USAGE). */
int option_chunk_size (uint32_t *chunk_bytes, struct error *err);

/* Read optarg as the number of a descriptor, which must be open now: later it
 * would become that of one of our own files.  ACCESS: O_RDONLY or O_WRONLY, in
 * which direction it must be open.  Returns 0, or -1 with ERR (ERROR_USAGE).
 */
int option_descriptor (const char *option, int access, int *fd,
                       struct error *err);

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
