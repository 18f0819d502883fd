/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only place that prints messages: one line for one error. */

#ifndef IOPRESS_CMD_SAY_H
#define IOPRESS_CMD_SAY_H

#include "util/error.h"

/* Print ERR on standard error as one line and return its exit status. */
int say_error (const struct error *err);

/* The same; when something was consumed, the hint ends with a command of which
 * the OPERANDS, up to a NULL, are printed too: in full, and as a shell takes
 * them.
 */
int say_error_and_command (const struct error *err,
                           const char *const *operands);

/* Print a note on standard error, "iopress: ...". */
void say_note (const char *format, ...)
  __attribute__ ((format (printf, 1, 2)));

/* End a report on standard output, which is closed: find out whether all of it
 * was written.  Returns 0, or -1 with ERR.
 */
int say_end_report (struct error *err);

#endif /* IOPRESS_CMD_SAY_H */
