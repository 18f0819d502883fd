/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Marks in the arguments of a program that stand for something else. */

#include <config.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/placeholders.h"

/* The placeholder whose mark TEXT begins with, or NULL. */
static const struct placeholder *
find (const struct placeholder *placeholder, const char *text)
{
  for (; placeholder->mark != NULL; placeholder++)
    if (strncmp (text, placeholder->mark, strlen (placeholder->mark)) == 0)
      return placeholder;
  return NULL;
}

static void
print_filled (const struct placeholder *placeholders, const char *text,
              FILE *stream)
{
  while (*text != '\0') {
    const struct placeholder *found = find (placeholders, text);

    if (found != NULL) {
      fputs (found->value, stream);
      text += strlen (found->mark);
    }
    else
      putc (*text++, stream);
  }
}

/* Returns the new argument, or NULL with errno. */
static char *
fill (const struct placeholder *placeholders, const char *argument)
{
  char *filled = NULL;
  size_t length;
  FILE *stream = open_memstream (&filled, &length);
  bool failed;

  if (stream == NULL)
    return NULL;
  print_filled (placeholders, argument, stream);
  failed = ferror (stream) != 0;
  if (fclose (stream) == 0 && !failed)
    return filled;
  free (filled);
  errno = ENOMEM;
  return NULL;
}

char **
placeholders_fill (const struct placeholder *placeholders,
                   char *const *arguments, struct error *err)
{
  char **filled;
  size_t i, count = 0;

  while (arguments[count] != NULL)
    count++;
  filled = calloc (count + 1, sizeof *filled);
  for (i = 0; filled != NULL && i < count; i++) {
    filled[i] = fill (placeholders, arguments[i]);
    if (filled[i] == NULL) {
      arguments_free (filled);
      filled = NULL;
    }
  }
  if (filled == NULL)
    error_set (err, ERROR_FAILED, errno, "cannot prepare the arguments");
  return filled;
}

void
arguments_free (char **arguments)
{
  size_t i;

  for (i = 0; arguments != NULL && arguments[i] != NULL; i++)
    free (arguments[i]);
  free (arguments);
}
