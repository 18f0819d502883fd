/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Marks in the arguments of a program that stand for something else. */

#ifndef IOPRESS_CMD_PLACEHOLDERS_H
#define IOPRESS_CMD_PLACEHOLDERS_H

#include "util/error.h"

struct placeholder {
  const char *mark;            /* not empty */
  const char *value;
};

/* Copy ARGUMENTS, a NULL-terminated list, with the value of a placeholder in
 * place of its mark wherever that stands.  PLACEHOLDERS ends with a mark that
 * is NULL; what they put in is not searched again.  Returns the list, to be
 * freed with arguments_free, or NULL with ERR.
 */
char **placeholders_fill (const struct placeholder *placeholders,
                          char *const *arguments, struct error *err);

void arguments_free (char **arguments);

#endif /* IOPRESS_CMD_PLACEHOLDERS_H */
