/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers of conformance checks: whoever leaves one is caught. */

#include <config.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check_private.h"

#define PATTERN 0xa5
#define PATTERN_BYTES 256u

static size_t
page_bytes (void)
{
  return (size_t) sysconf (_SC_PAGESIZE);
}

static void
guarded_open (struct check_run *run, struct guarded *guarded, size_t room)
{
  size_t page = page_bytes ();

  guarded->bytes = (room + PATTERN_BYTES + page - 1) / page * page;
  guarded->map = mmap (NULL, guarded->bytes + 2 * page, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (guarded->map == MAP_FAILED ||
      mprotect (guarded->map + page, guarded->bytes,
                PROT_READ | PROT_WRITE) < 0)
    check_fail (run, "no memory for a buffer of %zu bytes", room);
}

void
check_buffers_open (struct check_run *run, size_t chunk)
{
  size_t bound = check_bound (run, chunk);

  if (bound < 1 || bound > SIZE_MAX / 4)
    check_fail (run, ".bound of %zu bytes is %zu", chunk, bound);
  guarded_open (run, &run->input, chunk);
  guarded_open (run, &run->frame, 2 * (bound + CHECK_SMALL));
  guarded_open (run, &run->output, chunk + CHECK_SMALL);
}

void
check_buffers_close (struct check_run *run)
{
  size_t page = page_bytes ();

  munmap (run->input.map, run->input.bytes + 2 * page);
  munmap (run->frame.map, run->frame.bytes + 2 * page);
  munmap (run->output.map, run->output.bytes + 2 * page);
}

/* The buffer that it is, of LENGTH bytes, and the pattern on its open side. */
static uint8_t *
places (const struct guarded *guarded, size_t length, uint8_t **pattern)
{
  uint8_t *start = guarded->map + page_bytes ();

  if (!guarded->at_start)
    start += guarded->bytes - length;
  *pattern = guarded->at_start ? start + length : start - PATTERN_BYTES;
  return start;
}

uint8_t *
guarded_place (const struct guarded *guarded, size_t length)
{
  uint8_t *pattern, *start = places (guarded, length, &pattern);

  memset (pattern, PATTERN, PATTERN_BYTES);
  return start;
}

bool
guarded_is_intact (const struct guarded *guarded, size_t length)
{
  unsigned int i;
  uint8_t *pattern;

  places (guarded, length, &pattern);
  for (i = 0; i < PATTERN_BYTES; i++)
    if (pattern[i] != PATTERN)
      return false;
  return true;
}

void
guarded_fill (const struct guarded *guarded)
{
  memset (guarded->map + page_bytes (), PATTERN, guarded->bytes);
}

void
guarded_protect (const struct guarded *guarded, bool protect)
{
  mprotect (guarded->map + page_bytes (), guarded->bytes,
            protect ? PROT_READ : PROT_READ | PROT_WRITE);
}
