/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only place that prints messages: one line for one error. */

#include <config.h>

#include <errno.h>
#include <stdio.h>

#include "cmd/say.h"

/* A path may hold any byte; one message stays one line of visible text. */
static void
print_line (const char *text)
{
  char line[2048];
  size_t i, used = 0;

  for (i = 0; text[i] != '\0' && used + 5 < sizeof line; i++) {
    unsigned char c = (unsigned char) text[i];

    if (c < 0x20 || c == 0x7f)
      used += (size_t) snprintf (line + used, 5, "\\x%02x", c);
    else
      line[used++] = text[i];
  }
  line[used] = '\0';
  fprintf (stderr, "iopress: %s\n", line);
}

int
say_error (const struct error *err)
{
  char text[1536];

  error_format (err, text, sizeof text);
  print_line (text);
  return (int) err->kind;
}

void
say_note (const char *format, ...)
{
  char text[1024];
  va_list args;

  va_start (args, format);
  vsnprintf (text, sizeof text, format, args);
  va_end (args);
  print_line (text);
}

int
say_end_report (void)
{
  struct error err = { 0 };

  if (fflush (stdout) == 0 && !ferror (stdout))
    return 0;
  error_set (&err, ERROR_FAILED, errno, "standard output cannot be written");
  return say_error (&err);
}
