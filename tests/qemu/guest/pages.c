/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands in the test guest's pages, and how they are told right from
 * wrong.
 */

#include <string.h>

#include "pages.h"

uint64_t
random_next (uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15);

  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

uint64_t
hash_words (const uint64_t *words, size_t count)
{
  uint64_t hash = 0xcbf29ce484222325;

  for (size_t i = 0; i < count; i++) {
    hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 32;
  }
  return hash;
}

static void
make_random (uint64_t *page, uint64_t *state)
{
  for (size_t i = 0; i < PAGE_WORDS; i++)
    page[i] = random_next (state);
}

/* Like a table of kernel pointers: compresses about fourfold. */
static void
make_pointers (uint64_t *page, uint64_t *state)
{
  for (size_t i = 0; i < PAGE_WORDS; i++)
    page[i] = 0xffff888000000000 | (random_next (state) & 0xfff8);
}

static void
make_text (uint64_t *page, uint64_t *state)
{
  static const char *const words[] = {
    "memory ", "page ", "save ", "restore ", "guest ", "running ", "image ",
    "offset ", "of ", "the ", "a ", "in ", "and\n", "stream ", "is ", "to ",
  };
  char *text = (char *) page;
  size_t used = 0;

  while (used < PAGE_SIZE) {
    const char *word = words[random_next (state) % 16];
    size_t length = strlen (word);

    if (length > PAGE_SIZE - used)
      length = PAGE_SIZE - used;
    memcpy (text + used, word, length);
    used += length;
  }
}

void
make_page (uint64_t *page, size_t number, uint64_t *state)
{
  switch (number % 8) {
  case 0: memset (page, 0, PAGE_SIZE); break;
  case 1: case 2: case 3: make_text (page, state); break;
  case 4: case 5: make_pointers (page, state); break;
  default: make_random (page, state); break;
  }
}

void
write_dirty_page (uint64_t *page, size_t number, uint64_t sequence)
{
  uint64_t state = sequence;

  page[0] = sequence;
  page[1] = number;
  make_text (page, &state);
  page[0] = sequence;
  page[1] = number;
  page[2] = hash_words (page + 3, PAGE_WORDS - 3);
}

bool
dirty_page_is_right (const uint64_t *page, size_t number, uint64_t sequence)
{
  if (sequence != 0)
    return page[0] == sequence && page[1] == number
      && page[2] == hash_words (page + 3, PAGE_WORDS - 3);
  for (size_t i = 0; i < PAGE_WORDS; i++)
    if (page[i] != 0)
      return false;
  return true;
}
