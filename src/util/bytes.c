/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes: copies, zero test and bitmap searches. */

#include <config.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "util/bytes.h"

#ifdef __SSE2__

/* A line of the cache; one written in part would be read first. */
#define LINE_BYTES (4 * sizeof (__m128i))

static void
store_line (uint8_t *to, const uint8_t *from)
{
  size_t i;

  for (i = 0; i < LINE_BYTES; i += sizeof (__m128i))
    _mm_stream_si128 ((void *) (to + i),
                      _mm_loadu_si128 ((const void *) (from + i)));
}

void
bytes_copy_out (void *to_bytes, const void *from_bytes, size_t length)
{
  uint8_t *to = to_bytes;
  const uint8_t *from = from_bytes;
  size_t head = -(uintptr_t) to % LINE_BYTES;

  if (head < length) {
    memcpy (to, from, head);
    to += head;
    from += head;
    length -= head;
    for (; length >= LINE_BYTES; length -= LINE_BYTES) {
      store_line (to, from);
      to += LINE_BYTES;
      from += LINE_BYTES;
    }
    /* Such stores are in no order with others. */
    _mm_sfence ();
  }
  memcpy (to, from, length);
}

#else

void
bytes_copy_out (void *to, const void *from, size_t length)
{
  memcpy (to, from, length);
}

#endif

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
