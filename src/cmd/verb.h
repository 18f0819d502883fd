/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verb of the command line: what it takes, and what is done with that. */

#ifndef IOPRESS_CMD_VERB_H
#define IOPRESS_CMD_VERB_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/* The state of a verb begins with its struct common_options.  It takes options,
 * is run and, in any case, ended.
 */
struct verb {
  const char *name;            /* on the command line, or NULL */
  const char *program;         /* as what it may be started, too, or NULL */
  const char *summary;         /* for iopress --help */
  const char *synopsis;
  const char *help;            /* everything but the common options */
  const char *letters;         /* COMMON_LETTERS and its own */
  const struct option *options;        /* COMMON_LONG_OPTIONS and its own */
  int operand_count;
  int optional_operands;       /* of them, at the end */
  bool many_operands;          /* or any number more, all of them inputs */

  const void *state;           /* as it is before any option */
  size_t state_bytes;
  /* Take the option of its own that getopt_long returned as C.  Returns 0, or
   * -1 with ERR (ERROR_USAGE).  NULL: there are common ones, flags and texts
   * only.
   */
  int (*take) (void *state, int c, struct error *err);
  /* Whether, after all options, the last operand begins a command: it and any
   * number behind it are not files then.  NULL: never.
   */
  bool (*runs_command) (const void *state);
  /* Do it with OPERANDS, up to a NULL.  Returns the exit status, 0 where all
   * was done, or -1 with ERR.
   */
  int (*run) (void *state, char **operands, struct error *err);
  /* Close and free what STATE has, or NULL. */
  void (*end) (void *state, bool succeeded);

  /* In place of all that: it is another program's to the last message, and
   * finds streams and signals as its caller left them.  Returns the exit
   * status.
   */
  int (*take_place) (int argc, char **argv);
};

/* What a state of TYPE is like at first: initialisers as of a struct. */
#define VERB_STATE(type, ...) \
  .state = &(const type) { __VA_ARGS__ }, \
  .state_bytes = sizeof (type)

/* Run VERB on its command line, ARGV[0] being its name, and print its error, if
 * any.  Returns the exit status (docs/iopress.1, EXIT STATUS).
 */
int verb_run (const struct verb *verb, int argc, char **argv);

#endif /* IOPRESS_CMD_VERB_H */
