/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What conformance checks give to a codec: the same bytes in each run. */

#include <config.h>

#include <link.h>
#include <string.h>

#include "check_private.h"

#define PAGE 4096u
#define SPARSE (64u << 10)

const char *
content_name (enum content content)
{
  static const char *const names[CONTENT_KINDS + 1] = {
    "zeros", "random bytes", "text", "pointers", "code", "pages",
    "a page now and then",
  };

  return names[content];
}

/* xorshift64*, whose state must not be 0. */
uint64_t
random_next (uint64_t *state)
{
  uint64_t x = *state != 0 ? *state : 0x9e3779b97f4a7c15u;

  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *state = x;
  return x * 0x2545f4914f6cdd1du;
}

static void
fill_random (uint64_t seed, uint8_t *bytes, size_t length)
{
  uint64_t state = seed * 2 + 1, number;
  size_t i, part;

  for (i = 0; i < length; i += part) {
    part = length - i < sizeof number ? length - i : sizeof number;
    number = random_next (&state);
    memcpy (bytes + i, &number, part);
  }
}

static void
fill_text (uint64_t seed, uint8_t *bytes, size_t length)
{
  static const char *const words[] = {
    "error", "/usr/lib/", "systemd", "the", "0x7f", "kernel: ", "guest",
    "\n", ".so.6", "=", "memory", "PATH", " ", ":", "<domain>", "2026",
  };
  uint64_t state = seed + 1;
  size_t i, part;
  const char *word;

  for (i = 0; i < length; i += part) {
    word = words[random_next (&state) >> 60];
    part = strlen (word) < length - i ? strlen (word) : length - i;
    memcpy (bytes + i, word, part);
  }
}

/* Lists of structures near each other: high halves that repeat, flags, counts
 * and empty members.
 */
static void
fill_pointers (uint64_t seed, uint8_t *bytes, size_t length)
{
  uint64_t state = seed + 1, number, word;
  size_t i, part;

  for (i = 0; i < length; i += part) {
    number = random_next (&state);
    word = number >> 62 == 0 ? 0
      : number >> 62 == 1 ? number & 0xff
      : 0xffff888000000000u + (number & 0x3fffff) * 64;
    part = length - i < sizeof word ? length - i : sizeof word;
    memcpy (bytes + i, &word, part);
  }
}

/* Where code is to go, and how much of what is found to pass over first. */
struct code {
  uint8_t *to;
  size_t left, skip;
};

static void
take_segment (struct code *code, const uint8_t *from, size_t length)
{
  size_t part;

  if (code->skip >= length) {
    code->skip -= length;
    return;
  }
  from += code->skip;
  length -= code->skip;
  code->skip = 0;
  part = length < code->left ? length : code->left;
  memcpy (code->to, from, part);
  code->to += part;
  code->left -= part;
}

static int
take_object (struct dl_phdr_info *object, size_t size, void *opaque)
{
  const ElfW (Phdr) *segment = object->dlpi_phdr;
  unsigned int i;

  (void) size;
  for (i = 0; i < object->dlpi_phnum; i++, segment++)
    if (segment->p_type == PT_LOAD &&
        (segment->p_flags & (PF_X | PF_W)) == PF_X)
      take_segment (opaque, (const uint8_t *)
                    (object->dlpi_addr + segment->p_vaddr),
                    segment->p_filesz);
  return 0;
}

static void
fill_code (uint64_t seed, uint8_t *bytes, size_t length)
{
  struct code code = { .to = bytes, .left = length, .skip = seed % 64 * PAGE };
  size_t before;

  do {
    before = code.left;
    dl_iterate_phdr (take_object, &code);
  } while (code.left > 0 && (code.left < before || code.skip > 0));
  memset (code.to, 0, code.left);
}

/* Of a guest, where there are any. */
static const uint8_t *pages;
static size_t pages_bytes;

void
content_use_pages (const uint8_t *bytes, size_t length)
{
  pages = bytes;
  pages_bytes = length / PAGE * PAGE;
}

/* In their order, from any of them on. */
static void
fill_given_pages (uint64_t seed, uint8_t *bytes, size_t length)
{
  size_t from = (size_t) (seed % (pages_bytes / PAGE)) * PAGE, part;

  for (; length > 0; length -= part, bytes += part, from = 0) {
    part = pages_bytes - from < length ? pages_bytes - from : length;
    memcpy (bytes, pages + from, part);
  }
}

static void
fill_pages (uint64_t seed, uint8_t *bytes, size_t length)
{
  uint64_t state = seed + 7;
  enum content content;
  size_t i, part;

  if (pages_bytes > 0) {
    fill_given_pages (seed, bytes, length);
    return;
  }
  for (i = 0; i < length; i += part) {
    part = length - i < PAGE ? length - i : PAGE;
    content = (enum content) (random_next (&state) % CONTENT_PAGES);
    content_fill (content, seed + i, bytes + i, part);
  }
}

/* A page now and then. */
static void
fill_sparse (uint64_t seed, uint8_t *bytes, size_t length)
{
  size_t i, part;

  memset (bytes, 0, length);
  for (i = 0; i < length; i += SPARSE) {
    part = length - i < PAGE ? length - i : PAGE;
    fill_pages (seed + i / SPARSE, bytes + i, part);
  }
}

void
content_fill (enum content content, uint64_t seed, uint8_t *bytes,
              size_t length)
{
  switch (content) {
  case CONTENT_RANDOM: fill_random (seed, bytes, length); break;
  case CONTENT_TEXT: fill_text (seed, bytes, length); break;
  case CONTENT_POINTERS: fill_pointers (seed, bytes, length); break;
  case CONTENT_CODE: fill_code (seed, bytes, length); break;
  case CONTENT_PAGES: fill_pages (seed, bytes, length); break;
  case CONTENT_SPARSE: fill_sparse (seed, bytes, length); break;
  default: memset (bytes, 0, length); break;
  }
}
