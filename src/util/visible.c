/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text that somebody else wrote, made safe to print. */

#include <config.h>

#include <stdbool.h>
#include <stdint.h>

#include "util/visible.h"

/* In place of what is not UTF-8. */
#define REPLACEMENT 0xfffdu

/* One character of a text. */
struct character {
  uint32_t code;
  unsigned int length;         /* bytes */
  bool valid;                  /* false: a byte that is not UTF-8 */
};

/* The bytes of a sequence that begins with FIRST, or 0. */
static unsigned int
sequence_length (unsigned char first)
{
  return first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2
    : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

/* The first character of TEXT, which is not empty.  (RFC 3629.) */
static struct character
decode (const char *text)
{
  static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
  const unsigned char *bytes = (const unsigned char *) text;
  struct character invalid = { .code = REPLACEMENT, .length = 1 };
  unsigned int length = sequence_length (bytes[0]), i;
  uint32_t code = length > 1 ? bytes[0] & (0x7fu >> length) : bytes[0];

  for (i = 1; i < length; i++) {
    if ((bytes[i] & 0xc0) != 0x80)
      return invalid;
    code = code << 6 | (bytes[i] & 0x3fu);
  }
  if (length == 0 || code < least[length] || code > 0x10ffff ||
      (code >= 0xd800 && code < 0xe000))
    return invalid;
  return (struct character) { .code = code, .length = length, .valid = true };
}

static bool
is_visible (const struct character *character)
{
  /* From, to: controls, and marks, separators and overrides of direction. */
  static const uint16_t hidden[][2] = {
    { 0, 0x1f }, { 0x7f, 0x9f }, { 0x61c, 0x61c }, { 0x200e, 0x200f },
    { 0x2028, 0x202e }, { 0x2066, 0x2069 },
  };
  size_t i;

  for (i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
    if (character->code >= hidden[i][0] && character->code <= hidden[i][1])
      return false;
  return character->valid;
}

/* Print TEXT, with QUOTE put in the place of each single quote. */
static void
print (FILE *stream, const char *text, const char *quote)
{
  while (*text != '\0') {
    struct character character = decode (text);
    bool visible = is_visible (&character);

    for (; character.length > 0; character.length--, text++)
      if (*text == '\'')
        fputs (quote, stream);
      else if (visible)
        putc (*text, stream);
      else
        fprintf (stream, "\\x%02x", (unsigned char) *text);
  }
}

void
visible_print (FILE *stream, const char *text)
{
  print (stream, text, "'");
}

void
visible_print_quoted (FILE *stream, const char *text)
{
  putc ('\'', stream);
  print (stream, text, "'\\''");
  putc ('\'', stream);
}

/* Print TEXT, of a string or of a whole document. */
static void
print_json (FILE *stream, const char *text, bool in_string)
{
  while (*text != '\0') {
    struct character character = decode (text);
    bool layout = character.code < 0x20 && !in_string;

    if (in_string && (*text == '"' || *text == '\\'))
      putc ('\\', stream);
    if (layout || is_visible (&character))
      fwrite (text, 1, character.length, stream);
    else
      fprintf (stream, "\\u%04x", (unsigned int) character.code);
    text += character.length;
  }
}

void
visible_print_json (FILE *stream, const char *text)
{
  print_json (stream, text, false);
}

void
visible_print_json_string (FILE *stream, const char *text)
{
  putc ('"', stream);
  print_json (stream, text, true);
  putc ('"', stream);
}
