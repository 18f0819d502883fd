/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes: zero test and bitmap searches. */

#include <config.h>

#include "bytes.h"

bool
bytes_are_zero (const void *data, size_t length)
{
  const uint8_t *bytes = data;
  size_t head = length < 16 ? length : 16;
  size_t i;

  /* Sixteen zero bytes followed by bytes equal to the ones sixteen before
   * them are all zero, and memcmp is as fast as the machine can compare.
   */
  for (i = 0; i < head; i++)
    if (bytes[i] != 0)
      return false;
  return memcmp (bytes, bytes + head, length - head) == 0;
}

static uint64_t
next_bit (const uint8_t *bitmap, uint64_t from, uint64_t limit, uint8_t flip)
{
  while (from < limit) {
    unsigned int byte = (unsigned int) (bitmap[from / 8] ^ flip) >> (from % 8);

    if (byte != 0)
      return minimum_u64 (from + (uint64_t) __builtin_ctz (byte), limit);
    from = align_down (from, 8) + 8;
    while (limit - minimum_u64 (from, limit) >= 64) {
      uint64_t word;

      memcpy (&word, bitmap + from / 8, sizeof word);
      if (word != (flip ? UINT64_MAX : 0))
        break;
      from += 64;
    }
  }
  return limit;
}

uint64_t
bitmap_next_set (const uint8_t *bitmap, uint64_t from, uint64_t limit)
{
  return next_bit (bitmap, from, limit, 0);
}

uint64_t
bitmap_next_clear (const uint8_t *bitmap, uint64_t from, uint64_t limit)
{
  return next_bit (bitmap, from, limit, 0xff);
}

uint64_t
bitmap_count (const uint8_t *bitmap, uint64_t first, uint64_t count)
{
  uint64_t total = 0, bit = first, end = first + count;

  while (bit < end) {
    uint64_t word = 0;
    uint64_t bits = minimum_u64 (end - bit, 64 - bit % 8);
    size_t bytes = (size_t) divide_up (bit % 8 + bits, 8);

    memcpy (&word, bitmap + bit / 8, bytes);
    word = le64toh (word) >> (bit % 8);
    if (bits < 64)
      word &= (UINT64_C (1) << bits) - 1;
    total += (uint64_t) __builtin_popcountll (word);
    bit += bits;
  }
  return total;
}
