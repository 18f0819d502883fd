/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Large buffers for codecs and O_DIRECT. */

#include <config.h>

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#include "util/buffer.h"
#include "util/bytes.h"

#define HUGE_PAGE_BYTES ((size_t) 2 << 20)

/* What is mapped for BYTES, or 0 when that is too much. */
static size_t
mapped_bytes (size_t bytes)
{
  return bytes <= SIZE_MAX - 2 * HUGE_PAGE_BYTES
    ? align_up (bytes, PAGE_BYTES) : 0;
}

static void
unmap (uint8_t *start, const uint8_t *end)
{
  if (end > start)
    munmap (start, (size_t) (end - start));
}

/* Map MAPPED bytes, a huge page more, and give back what is not needed. */
static uint8_t *
map_aligned (size_t mapped)
{
  uint8_t *memory = mmap (NULL, mapped + HUGE_PAGE_BYTES,
                          PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint8_t *start;

  if (memory == MAP_FAILED)
    return NULL;
  start = memory + (-(uintptr_t) memory & (HUGE_PAGE_BYTES - 1));
  unmap (memory, start);
  unmap (start + mapped, memory + mapped + HUGE_PAGE_BYTES);
  return start;
}

void *
buffer_allocate (size_t bytes)
{
  size_t mapped = mapped_bytes (bytes);
  uint8_t *buffer = NULL;

  if (mapped == 0)
    errno = ENOMEM;
  else
    buffer = map_aligned (mapped);
  if (buffer != NULL) {
    /* A huge page of which little is needed would be memory for nothing. */
    madvise (buffer, align_down (bytes, HUGE_PAGE_BYTES), MADV_HUGEPAGE);
    madvise (buffer, mapped, MADV_DONTDUMP);
  }
  return buffer;
}

void
buffer_free (void *buffer, size_t bytes)
{
  if (buffer != NULL)
    munmap (buffer, mapped_bytes (bytes));
}
