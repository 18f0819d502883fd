/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes that can be read at any offset, whatever they are in: a file, or an
 * image.
 */

#ifndef IOPRESS_UTIL_READ_AT_H
#define IOPRESS_UTIL_READ_AT_H

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct read_at {
  /* Fill BUFFER with exactly LENGTH bytes from OFFSET.  Returns 0, or -1 with
   * ERR.
   */
  int (*read) (void *opaque, uint64_t offset, void *buffer, size_t length,
               struct error *err);
  /* The first offset >= OFFSET that may hold data, or the size when only holes
   * follow.  NULL: everything may.  Lets a reader pass over the holes; where it
   * matters it doubts them, see read_at_next_data.
   */
  uint64_t (*next_data) (void *opaque, uint64_t offset);
  void *opaque;
  uint64_t size;               /* in bytes */
  /* The most bytes of it that a reader may keep in memory; 0: any number.
   * What comes out of an image can be a thousand times what stands in it.
   */
  uint64_t kept_bytes_max;
};

/* How many bytes of holes are read before the file system is believed: as many
 * as the bitmaps of 8 TiB of memory have, in pages of 4 KiB.
 */
#define HOLE_BYTES_DOUBTED (UINT64_C (256) << 20)

/* The first offset >= OFFSET at which the PIECE bytes have to be read, at most
 * LIMIT: holes count as data until HOLE_BYTES_DOUBTED of them have been read,
 * for which DOUBTED, of the caller, counts.
 */
uint64_t read_at_next_data (const struct read_at *at, uint64_t offset,
                            uint64_t limit, size_t piece, uint64_t *doubted);

/* Whether A and B hold the same bytes from OFFSET up to END, which neither ends
 * before; what is a hole in both is not read.  Any thread.  Returns 1, 0, or -1
 * with ERR.
 */
int read_at_same (const struct read_at *a, const struct read_at *b,
                  uint64_t offset, uint64_t end, struct error *err);

/* Whether AT holds nothing but zeros from OFFSET on.  Returns 1, 0, or -1 with
 * ERR.
 */
int read_at_is_zero (const struct read_at *at, uint64_t offset,
                     struct error *err);

#endif /* IOPRESS_UTIL_READ_AT_H */
