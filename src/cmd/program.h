/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another program, run as if it had been started in place of this one. */

#ifndef IOPRESS_CMD_PROGRAM_H
#define IOPRESS_CMD_PROGRAM_H

#include <stdbool.h>

#include "util/error.h"

/* What a shell returns for a command that it cannot run. */
enum {
  PROGRAM_NOT_EXECUTABLE = 126,
  PROGRAM_NOT_FOUND = 127,
};

struct program {
  char *const *arguments;      /* NULL-terminated; the first is the program */
  int descriptor;              /* it inherits this, whatever its flags are */
  bool empty_input;            /* its standard input is /dev/null */
};

/* Run PROGRAM, found along PATH as execvp does, and wait for it.  It gets the
 * signal mask and dispositions, the environment and all else that this process
 * got.  SIGINT, SIGTERM, SIGHUP and SIGQUIT are passed on to it, but not those
 * that its terminal has sent it already.  To be called while no other thread
 * runs.
 *
 * Returns 0 with STATUS, its exit status, or 128 and the number of the signal
 * that ended it, or one of the above, after the child has printed why.
 * Returns -1 with ERR when it was not started: ERROR_CANCELLED after a signal
 * that signals_received knows of.
 */
int program_run (const struct program *program, int *status,
                 struct error *err);

#endif /* IOPRESS_CMD_PROGRAM_H */
