/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes: endian-safe loads and stores, alignment, overflow, zero test. */

#ifndef IOPRESS_UTIL_BYTES_H
#define IOPRESS_UTIL_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

/* Lengths of files and of memory go into each other all over the program. */
_Static_assert (sizeof (size_t) == 8 && sizeof (off_t) == 8,
                "iopress is for 64-bit machines");

/* The page of the page maps and of O_DIRECT alignment, in bytes. */
#define PAGE_BYTES 4096u

/* Load or store an unaligned integer of the named byte order. */
#define BYTES_ACCESSORS(bits, order)                                         \
  static inline uint##bits##_t                                               \
  get_##order##bits (const uint8_t *bytes)                                   \
  {                                                                          \
    uint##bits##_t value;                                                    \
    memcpy (&value, bytes, sizeof value);                                    \
    return order##bits##toh (value);                                         \
  }                                                                          \
  static inline void                                                         \
  put_##order##bits (uint8_t *bytes, uint##bits##_t value)                   \
  {                                                                          \
    value = hto##order##bits (value);                                        \
    memcpy (bytes, &value, sizeof value);                                    \
  }

BYTES_ACCESSORS (16, le)
BYTES_ACCESSORS (32, le)
BYTES_ACCESSORS (64, le)
BYTES_ACCESSORS (16, be)
BYTES_ACCESSORS (32, be)
BYTES_ACCESSORS (64, be)

#undef BYTES_ACCESSORS

/* *SUM = A + B.  Returns false when the sum does not fit 64 bits. */
static inline bool
add_u64 (uint64_t a, uint64_t b, uint64_t *sum)
{
  return !__builtin_add_overflow (a, b, sum);
}

static inline bool
is_power_of_two (uint64_t value)
{
  return value != 0 && (value & (value - 1)) == 0;
}

/* Round VALUE down or up to a multiple of ALIGNMENT, a power of two.
 * align_up must not be given values within ALIGNMENT of UINT64_MAX: callers
 * bound file offsets to INT64_MAX first.
 */
static inline uint64_t
align_down (uint64_t value, uint64_t alignment)
{
  return value & ~(alignment - 1);
}

static inline uint64_t
align_up (uint64_t value, uint64_t alignment)
{
  return align_down (value + (alignment - 1), alignment);
}

static inline uint64_t
divide_up (uint64_t value, uint64_t divisor)
{
  return value / divisor + (value % divisor != 0);
}

static inline uint64_t
minimum_u64 (uint64_t a, uint64_t b)
{
  return a < b ? a : b;
}

static inline uint64_t
maximum_u64 (uint64_t a, uint64_t b)
{
  return a > b ? a : b;
}

/* As memcpy, for bytes that this processor will not look at again: where it
 * can, it writes them past its caches, and leaves there what the others work
 * on.
 */
void bytes_copy_out (void *to, const void *from, size_t length);

/* Whether LENGTH bytes are all zero.  Any alignment, any length. */
bool bytes_are_zero (const void *bytes, size_t length);

/* Bit N of a little-endian bitmap: byte N / 8, bit N % 8 (the layout of
 * QEMU's mapped-ram bitmaps on little-endian hosts and of our page maps).
 */
static inline bool
bitmap_test (const uint8_t *bitmap, uint64_t bit)
{
  return (bitmap[bit / 8] >> (bit % 8)) & 1;
}

static inline void
bitmap_set (uint8_t *bitmap, uint64_t bit)
{
  bitmap[bit / 8] = (uint8_t) (bitmap[bit / 8] | 1u << (bit % 8));
}

static inline void
bitmap_clear (uint8_t *bitmap, uint64_t bit)
{
  bitmap[bit / 8] = (uint8_t) (bitmap[bit / 8] & ~(1u << (bit % 8)));
}

/* The number of set bits among bits FIRST .. FIRST + COUNT - 1. */
uint64_t bitmap_count (const uint8_t *bitmap, uint64_t first, uint64_t count);

/* The first set bit at or after FROM, or LIMIT when there is none below
 * LIMIT.
 */
uint64_t bitmap_next_set (const uint8_t *bitmap, uint64_t from,
                          uint64_t limit);

/* The first clear bit at or after FROM, or LIMIT. */
uint64_t bitmap_next_clear (const uint8_t *bitmap, uint64_t from,
                            uint64_t limit);

#endif /* IOPRESS_UTIL_BYTES_H */
