/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes that can be read at any offset, whatever they are in. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/read_at.h"

/* Compared at a time; whole pages, for O_DIRECT. */
#define STEP_BYTES ((size_t) 1 << 20)

/* Looked at a time of what may be zeros. */
#define PIECE_BYTES ((size_t) 256 << 10)

/* Where the next bytes are that may not be zeros. */
static uint64_t
next_data (const struct read_at *at, uint64_t offset)
{
  /* Behind the end, or what was taken for it, that would be a step back. */
  return at->next_data == NULL ? offset
    : maximum_u64 (offset, at->next_data (at->opaque, offset));
}

uint64_t
read_at_next_data (const struct read_at *at, uint64_t offset, uint64_t limit,
                   size_t piece, uint64_t *doubted)
{
  uint64_t data = offset;

  if (offset < limit)
    data = next_data (at, offset);
  if (data > offset && *doubted < HOLE_BYTES_DOUBTED) {
    *doubted += piece;
    return offset;
  }
  return minimum_u64 (data, limit);
}

int
read_at_same (const struct read_at *a, const struct read_at *b,
              uint64_t offset, uint64_t end, struct error *err)
{
  CLEANUP_FREE void *memory = NULL;
  uint8_t *first, *second;
  size_t length;

  errno = posix_memalign (&memory, PAGE_BYTES, 2 * STEP_BYTES);
  if (errno != 0)
    return error_set (err, ERROR_FAILED, errno, "cannot compare");
  first = memory;
  second = first + STEP_BYTES;
  for (;; offset += length) {
    offset = minimum_u64 (next_data (a, offset), next_data (b, offset));
    if (offset >= end)
      return 1;
    length = (size_t) minimum_u64 (STEP_BYTES - offset % STEP_BYTES,
                                   end - offset);
    if (a->read (a->opaque, offset, first, length, err) < 0 ||
        b->read (b->opaque, offset, second, length, err) < 0)
      return -1;
    if (memcmp (first, second, length) != 0)
      return 0;
  }
}

int
read_at_is_zero (const struct read_at *at, uint64_t offset,
                 struct error *err)
{
  CLEANUP_FREE uint8_t *piece = malloc (PIECE_BYTES);
  uint64_t doubted = 0;

  if (piece == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot be examined");
  while ((offset = read_at_next_data (at, offset, at->size, PIECE_BYTES,
                                      &doubted)) < at->size) {
    size_t length = (size_t) minimum_u64 (PIECE_BYTES, at->size - offset);

    if (at->read (at->opaque, offset, piece, length, err) < 0)
      return -1;
    if (!bytes_are_zero (piece, length))
      return 0;
    offset += length;
  }
  return 1;
}
