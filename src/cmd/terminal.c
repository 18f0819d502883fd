/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be done on the terminal at a descriptor, if there is one. */

#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/terminal.h"

bool
terminal_is_capable (int fd)
{
  const char *term = getenv ("TERM");

  return isatty (fd) && term != NULL && term[0] != '\0' &&
    strcmp (term, "dumb") != 0;
}

bool
terminal_has_colours (int fd)
{
  const char *unwanted = getenv ("NO_COLOR");

  return terminal_is_capable (fd) &&
    (unwanted == NULL || unwanted[0] == '\0');
}

size_t
terminal_columns (int fd, size_t otherwise)
{
  struct winsize size;

  return ioctl (fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0
    ? size.ws_col : otherwise;
}
