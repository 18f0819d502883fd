/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One error on its way up: what failed, on what, why, and what to do. */

#include <config.h>

#include <stdio.h>
#include <string.h>

#include "util/error.h"

static void __attribute__ ((format (printf, 4, 0)))
set (struct error *err, enum error_kind kind, int errnum, const char *format,
     va_list args)
{
  if (err->kind != ERROR_NONE)
    return;
  err->kind = kind;
  err->errnum = errnum;
  vsnprintf (err->what, sizeof err->what, format, args);
}

int
error_set (struct error *err, enum error_kind kind, int errnum,
           const char *format, ...)
{
  va_list args;

  va_start (args, format);
  set (err, kind, errnum, format, args);
  va_end (args);
  return -1;
}

int
error_about (struct error *err, enum error_kind kind, int errnum,
             const char *subject, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  set (err, kind, errnum, format, args);
  va_end (args);
  return error_subject (err, subject);
}

int
error_context (struct error *err, const char *format, ...)
{
  char context[sizeof err->what / 2], what[sizeof err->what * 2];
  va_list args;

  va_start (args, format);
  vsnprintf (context, sizeof context, format, args);
  va_end (args);
  snprintf (what, sizeof what, "%s: %s", context, err->what);
  what[sizeof err->what - 1] = '\0';
  memcpy (err->what, what, sizeof err->what);
  return -1;
}

int
error_subject (struct error *err, const char *subject)
{
  size_t length = strlen (subject);

  if (err->subject[0] != '\0')
    return -1;
  if (length < sizeof err->subject)
    memcpy (err->subject, subject, length + 1);
  else
    snprintf (err->subject, sizeof err->subject, "...%s",
              subject + length - (sizeof err->subject - 4));
  return -1;
}

int
error_hint (struct error *err, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  vsnprintf (err->hint, sizeof err->hint, format, args);
  va_end (args);
  return -1;
}

void
error_format (const struct error *err, char *text, size_t size)
{
  char why[128] = "";

  if (err->errnum != 0) {
    char buffer[96];

    snprintf (why, sizeof why, ": %s",
              strerror_r (err->errnum, buffer, sizeof buffer));
  }
  snprintf (text, size, "%s%s%s%s%s%s",
            err->subject, err->subject[0] != '\0' ? ": " : "", err->what, why,
            err->hint[0] != '\0' ? "; " : "", err->hint);
}
