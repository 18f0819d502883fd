/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only place that prints messages: one line for one error. */

#include <config.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/say.h"
#include "util/cleanup.h"
#include "util/visible.h"

/* An operand as a shell takes it. */
static void
put_operand (FILE *line, const char *operand)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";

  if (operand[strspn (operand, plain)] == '\0')
    visible_print (line, operand);
  else
    visible_print_quoted (line, operand);
}

static bool
looks_like_option (const char *const *operands)
{
  for (; operands != NULL && *operands != NULL; operands++)
    if ((*operands)[0] == '-' && (*operands)[1] != '\0')
      return true;
  return false;
}

static void
put_line (FILE *line, const char *text, const char *const *operands)
{
  fputs ("iopress: ", line);
  visible_print (line, text);
  if (looks_like_option (operands))
    fputs (" --", line);
  for (; operands != NULL && *operands != NULL; operands++) {
    putc (' ', line);
    put_operand (line, *operands);
  }
  putc ('\n', line);
}

/* One write, so that lines of others do not come in between, unless there is no
 * memory.
 */
static void
print_line (const char *text, const char *const *operands)
{
  CLEANUP_FREE char *buffer = NULL;
  size_t size;
  FILE *line = open_memstream (&buffer, &size);
  bool whole = false;

  if (line != NULL) {
    put_line (line, text, operands);
    whole = !ferror (line);
    whole = fclose (line) == 0 && whole;
  }
  if (whole)
    fputs (buffer, stderr);
  else
    put_line (stderr, text, operands);
}

int
say_error_and_command (const struct error *err, const char *const *operands)
{
  char text[1536];

  error_format (err, text, sizeof text);
  print_line (text, err->kind == ERROR_CONSUMED ? operands : NULL);
  return (int) err->kind;
}

int
say_error (const struct error *err)
{
  return say_error_and_command (err, NULL);
}

void
say_note (const char *format, ...)
{
  char text[1024];
  va_list args;

  va_start (args, format);
  vsnprintf (text, sizeof text, format, args);
  va_end (args);
  print_line (text, NULL);
}

int
say_end_report (struct error *err)
{
  /* Some file systems tell only at the close. */
  errno = 0;
  if (fflush (stdout) == 0 && !ferror (stdout) &&
      (close (STDOUT_FILENO) == 0 || errno == EINTR))
    return 0;
  return error_set (err, ERROR_FAILED, errno,
                    "standard output cannot be written");
}
