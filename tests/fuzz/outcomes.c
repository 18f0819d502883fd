/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the decoders said to the inputs of a fuzz target. */

#include <config.h>

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

#define MESSAGES_MAX 64u

static unsigned long accepted, refused;
static unsigned int message_count;
static char messages[MESSAGES_MAX][sizeof ((struct error *) 0)->what];

/* Copy TEXT with each number replaced by '#'. */
static void
without_numbers (const char *text, char *copy)
{
  while (*text != '\0') {
    if (isdigit ((unsigned char) *text)) {
      *copy++ = '#';
      text += strspn (text, "0123456789abcdefx");
    }
    else
      *copy++ = *text++;
  }
  *copy = '\0';
}

static void
remember (const char *text)
{
  char message[sizeof messages[0]];
  unsigned int i;

  without_numbers (text, message);
  for (i = 0; i < message_count; i++)
    if (strcmp (messages[i], message) == 0)
      return;
  FUZZ_ASSERT (message_count < MESSAGES_MAX);
  memcpy (messages[message_count++], message, sizeof message);
}

static bool
is_one_line (const char *text)
{
  while (isprint ((unsigned char) *text))
    text++;
  return *text == '\0';
}

int
fuzz_outcome (int result, const struct error *err)
{
  if (result == 0) {
    FUZZ_ASSERT (err->kind == ERROR_NONE);
    accepted++;
    return 1;
  }
  FUZZ_ASSERT (result == -1);
  FUZZ_ASSERT (err->kind == ERROR_BAD_INPUT);
  FUZZ_ASSERT (err->what[0] != '\0');
  FUZZ_ASSERT (is_one_line (err->what));
  remember (err->what);
  refused++;
  return 0;
}

void
fuzz_count (int is_accepted)
{
  if (is_accepted)
    accepted++;
  else
    refused++;
}

unsigned long
fuzz_accepted (void)
{
  return accepted;
}

unsigned long
fuzz_refused (void)
{
  return refused;
}

unsigned int
fuzz_messages (void)
{
  return message_count;
}

void
fuzz_print_messages (FILE *file)
{
  unsigned int i;

  for (i = 0; i < message_count; i++)
    fprintf (file, "  %s\n", messages[i]);
}
