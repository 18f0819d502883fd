/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The blocks of a writer: filled from any thread, written in the order of the
 * file, several of them at a time.
 */

#ifndef IOPRESS_IO_WRITE_BLOCKS_H
#define IOPRESS_IO_WRITE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "io/aio.h"

/* Bytes of a block. */
#define WRITE_BLOCK_BYTES ((size_t) 4 << 20)

/* How many there are for a file that is to be written with little memory. */
#define WRITE_BLOCKS_LEAST 2u

/* A block is the caller's from write_blocks_next on, until it is queued or
 * started.
 */
struct write_block {
  uint8_t *bytes;              /* WRITE_BLOCK_BYTES, page aligned */
  uint64_t offset;             /* file offset */
  size_t used;                 /* bytes that are known or reserved */

  /* Private. */
  struct aio_request request;
  size_t missing;              /* under the lock: reserved and not filled */
  bool queued;                 /* likewise: goes when nothing is missing */
  bool in_flight;
};

/* All of them belong to one thread, but for write_blocks_fill.  After an error
 * every call fails with it.
 */
struct write_blocks;

/* Make the blocks for FILE, which stays the caller's.  Returns 0, or -1 with
 * ERR.
 */
int write_blocks_open (struct file *file, struct write_blocks **blocks,
                       struct error *err);

/* Wait for what is in flight, forget the rest, and free; NULL is ignored. */
void write_blocks_close (struct write_blocks *blocks);

/* A free block for what stands at OFFSET in the file, with COUNT bytes from
 * BYTES, which may be in a block that has been started.  Waits until there is
 * one, but never for bytes of the block that was queued last: another thread
 * may hear of them only when the caller goes on.  Returns NULL with ERR when a
 * write has failed.
 */
struct write_block *write_blocks_next (struct write_blocks *blocks,
                                       uint64_t offset, const uint8_t *bytes,
                                       size_t count, struct error *err);

/* Reserve LENGTH more bytes of BLOCK for write_blocks_fill, and count them as
 * used.
 */
void write_blocks_reserve (struct write_blocks *blocks,
                           struct write_block *block, size_t length);

/* Any thread: bring LENGTH bytes that were reserved in BLOCK from its byte
 * START on.  Returns whether BLOCK is queued and nothing is missing in it any
 * more: write_blocks_poll may start it.
 */
bool write_blocks_fill (struct write_blocks *blocks,
                        struct write_block *block, size_t start,
                        const uint8_t *bytes, size_t length);

/* Write BLOCK, all of it, as soon as nothing is missing in it or in those that
 * were queued before.  Returns 0, or -1 with ERR.
 */
int write_blocks_queue (struct write_blocks *blocks,
                        struct write_block *block, struct error *err);

/* Write the first LENGTH bytes of BLOCK, after all that is queued; waits until
 * nothing is missing.  Returns 0, or -1 with ERR.
 */
int write_blocks_start (struct write_blocks *blocks,
                        struct write_block *block, size_t length,
                        struct error *err);

/* Start what can start and take note of writes that have ended, waiting for
 * nothing but a stream.  Returns 0, or -1 with ERR.
 */
int write_blocks_poll (struct write_blocks *blocks, struct error *err);

/* Wait until all that is queued or started has been written.  Returns 0, or -1
 * with ERR.
 */
int write_blocks_wait (struct write_blocks *blocks, struct error *err);

/* Whether nothing is queued or in flight. */
bool write_blocks_idle (const struct write_blocks *blocks);

/* The first file offset that is queued or in flight, or UINT64_MAX. */
uint64_t write_blocks_lowest (const struct write_blocks *blocks);

/* See aio_wind_down. */
void write_blocks_wind_down (struct write_blocks *blocks);

#endif /* IOPRESS_IO_WRITE_BLOCKS_H */
