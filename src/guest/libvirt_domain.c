/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The domain's name and uuid out of its XML: a scan that follows elements,
 * not a parser.  Of faulty XML it finds something or nothing, no more.
 */

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "guest/libvirt_header.h"

#define UUID_CHARACTERS 36u

/* "&#x10ffff;" is the longest entity with a meaning here. */
#define MAX_ENTITY_BYTES 10u

/* A part of the XML. */
struct span {
  const char *start, *end;
};

/* Where the scan is. */
struct scan {
  struct span rest;            /* what has not been looked at */
  unsigned int depth;          /* open elements */
  bool in_domain;              /* the outermost one is <domain> */
};

static bool
span_begins (struct span span, const char *text)
{
  size_t length = strlen (text);

  return (size_t) (span.end - span.start) >= length &&
    memcmp (span.start, text, length) == 0;
}

static bool
span_equals (struct span span, const char *text)
{
  return (size_t) (span.end - span.start) == strlen (text) &&
    span_begins (span, text);
}

/* Move REST past the next TEXT, or to its end. */
static void
skip_past (struct span *rest, const char *text)
{
  size_t left = (size_t) (rest->end - rest->start);
  const char *found = memmem (rest->start, left, text, strlen (text));

  rest->start = found == NULL ? rest->end : found + strlen (text);
}

/* Pass over a comment, CDATA section, processing instruction or declaration
 * at the start of REST.  Returns false when it is none of them.
 */
static bool
skip_markup (struct span *rest)
{
  static const struct {
    const char *start, *end;
  } kinds[] = {
    { "<!--", "-->" }, { "<![CDATA[", "]]>" }, { "<?", "?>" }, { "<!", ">" },
  };
  size_t i;

  for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    if (span_begins (*rest, kinds[i].start)) {
      rest->start += strlen (kinds[i].start);
      skip_past (rest, kinds[i].end);
      return true;
    }
  }
  return false;
}

/* Take a tag, from '<' past '>', with '>' in quotes passed over. */
static struct span
take_tag (struct span *rest)
{
  struct span tag = { rest->start, rest->end };
  char quote = '\0';

  while (rest->start < rest->end) {
    char c = *rest->start++;

    if (quote != '\0')
      quote = c == quote ? '\0' : quote;
    else if (c == '"' || c == '\'')
      quote = c;
    else if (c == '>')
      break;
  }
  tag.end = rest->start;
  return tag;
}

/* The element name of a start tag. */
static struct span
tag_name (struct span tag)
{
  struct span name = { tag.start + 1, tag.start + 1 };

  while (name.end < tag.end && strchr (" \t\r\n/>", *name.end) == NULL)
    name.end++;
  return name;
}

static bool
tag_is_empty (struct span tag)
{
  return tag.end - tag.start >= 3 && tag.end[-1] == '>' && tag.end[-2] == '/';
}

/* The text from the start of REST up to the next tag, without blanks around
 * it.
 */
static struct span
take_text (const struct span *rest)
{
  size_t left = (size_t) (rest->end - rest->start);
  const char *end = memchr (rest->start, '<', left);
  struct span text = { rest->start, end == NULL ? rest->end : end };

  while (text.start < text.end && strchr (" \t\r\n", *text.start) != NULL)
    text.start++;
  while (text.start < text.end && strchr (" \t\r\n", text.end[-1]) != NULL)
    text.end--;
  return text;
}

/* CODE as UTF-8.  Returns its length, 0 when there is no such character. */
static size_t
encode_utf8 (unsigned long code, char bytes[4])
{
  if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
    return 0;
  if (code < 0x80) {
    bytes[0] = (char) code;
    return 1;
  }
  if (code < 0x800) {
    bytes[0] = (char) (0xc0 | code >> 6);
    bytes[1] = (char) (0x80 | (code & 0x3f));
    return 2;
  }
  if (code < 0x10000) {
    bytes[0] = (char) (0xe0 | code >> 12);
    bytes[1] = (char) (0x80 | (code >> 6 & 0x3f));
    bytes[2] = (char) (0x80 | (code & 0x3f));
    return 3;
  }
  bytes[0] = (char) (0xf0 | code >> 18);
  bytes[1] = (char) (0x80 | (code >> 12 & 0x3f));
  bytes[2] = (char) (0x80 | (code >> 6 & 0x3f));
  bytes[3] = (char) (0x80 | (code & 0x3f));
  return 4;
}

/* "#65" or "#x41": the digits without '&' and ';'. */
static size_t
resolve_number (struct span entity, char bytes[4])
{
  char digits[12] = "";
  size_t length = (size_t) (entity.end - entity.start);
  const char *first = digits + 1;
  char *end;
  unsigned long code;
  int base = 10;

  if (length < 2 || length >= sizeof digits)
    return 0;
  memcpy (digits, entity.start, length);
  if (*first == 'x') {
    first++;
    base = 16;
  }
  if (strspn (first, "0123456789abcdefABCDEF") != strlen (first))
    return 0;
  code = strtoul (first, &end, base);
  return end == first || *end != '\0' ? 0 : encode_utf8 (code, bytes);
}

/* The character of an entity, named without '&' and ';'. */
static size_t
resolve_entity (struct span entity, char bytes[4])
{
  static const struct {
    const char *name;
    char character;
  } named[] = {
    { "lt", '<' }, { "gt", '>' }, { "amp", '&' },
    { "quot", '"' }, { "apos", '\'' },
  };
  size_t i;

  if (span_begins (entity, "#"))
    return resolve_number (entity, bytes);
  for (i = 0; i < sizeof named / sizeof named[0]; i++) {
    if (span_equals (entity, named[i].name)) {
      bytes[0] = named[i].character;
      return 1;
    }
  }
  return 0;
}

/* The ';' that ends the entity at the start of TEXT, or NULL. */
static const char *
entity_end (struct span text)
{
  size_t length = (size_t) (text.end - text.start);

  if (*text.start != '&')
    return NULL;
  return memchr (text.start, ';',
                 length < MAX_ENTITY_BYTES ? length : MAX_ENTITY_BYTES);
}

/* Take one byte of TEXT, or one entity and give its character.  Control
 * characters become '?': the name is shown on terminals.
 */
static size_t
take_character (struct span *text, char bytes[4])
{
  const char *semicolon = entity_end (*text);
  size_t length = 0;

  if (semicolon != NULL)
    length = resolve_entity ((struct span) { text->start + 1, semicolon },
                             bytes);
  if (length > 0)
    text->start = semicolon + 1;
  else {
    bytes[0] = *text->start++;
    length = 1;
  }
  if ((unsigned char) bytes[0] < 0x20 || bytes[0] == 0x7f)
    bytes[0] = '?';
  return length;
}

/* The length of NAME without the character that was cut through at USED. */
static size_t
without_cut_character (const char *name, size_t used)
{
  while (used > 0 && ((unsigned char) name[used - 1] & 0xc0) == 0x80)
    used--;
  return used > 0 ? used - 1 : 0;
}

static void
copy_name (struct span text, char name[256])
{
  size_t used = 0;

  while (text.start < text.end) {
    char bytes[4];
    size_t length = take_character (&text, bytes);

    if (used + length > 255) {
      if (((unsigned char) bytes[0] & 0xc0) == 0x80)
        used = without_cut_character (name, used);
      break;
    }
    memcpy (name + used, bytes, length);
    used += length;
  }
  name[used] = '\0';
}

static void
copy_uuid (struct span text, char uuid[40])
{
  const char *c;

  if (text.end - text.start != UUID_CHARACTERS)
    return;
  for (c = text.start; c < text.end; c++)
    if (*c == '\0' || strchr ("0123456789abcdefABCDEF-", *c) == NULL)
      return;
  memcpy (uuid, text.start, UUID_CHARACTERS);
  uuid[UUID_CHARACTERS] = '\0';
}

static void
enter_element (struct scan *scan, struct span tag, char name[256],
               char uuid[40])
{
  struct span element = tag_name (tag);

  if (scan->depth == 0)
    scan->in_domain = span_equals (element, "domain");
  if (tag_is_empty (tag))
    return;
  if (scan->depth == 1 && scan->in_domain) {
    if (name[0] == '\0' && span_equals (element, "name"))
      copy_name (take_text (&scan->rest), name);
    else if (uuid[0] == '\0' && span_equals (element, "uuid"))
      copy_uuid (take_text (&scan->rest), uuid);
  }
  scan->depth++;
}

void
libvirt_domain_identity (const char *xml, size_t length,
                         char name[256], char uuid[40])
{
  struct scan scan = { .rest = { xml, xml + strnlen (xml, length) } };

  name[0] = uuid[0] = '\0';
  while (name[0] == '\0' || uuid[0] == '\0') {
    const char *next = memchr (scan.rest.start, '<',
                               (size_t) (scan.rest.end - scan.rest.start));

    if (next == NULL)
      return;
    scan.rest.start = next;
    if (skip_markup (&scan.rest))
      continue;
    if (span_begins (scan.rest, "</")) {
      take_tag (&scan.rest);
      if (scan.depth > 0)
        scan.depth--;
    }
    else
      enter_element (&scan, take_tag (&scan.rest), name, uuid);
  }
}
