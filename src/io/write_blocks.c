/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The blocks of a writer: which are free, full, or on their way. */

#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "io/write_blocks.h"
#include "util/buffer.h"
#include "util/bytes.h"

/* O_DIRECT writes are fastest with about 4 MiB in flight, and each costs as
 * much as copying half a MiB; one more block is being filled.  The others are
 * for the time in which a disk takes no writes, because it flushes.
 */
#define BLOCK_COUNT 4u

/* The size of the file is set up to this far ahead, in bytes.  O_DIRECT writes
 * that extend a file are done one by one, whatever is in flight.
 */
#define AHEAD_BYTES_MAX (64u << 20)

struct write_blocks {
  struct file *file;
  struct aio *aio;             /* NULL for a stream */
  uint64_t size;               /* of the file; UINT64_MAX: leave it alone */
  unsigned int count;          /* of the blocks that there are */
  uint8_t *memory;             /* of all of them */
  struct write_block blocks[BLOCK_COUNT];
  /* The last one that came back goes out first: memory that is never needed is
   * never touched.
   */
  struct write_block *free[BLOCK_COUNT];
  unsigned int free_count;
  struct write_block *queue[BLOCK_COUNT];      /* in the order of the file */
  unsigned int queue_count;
  unsigned int in_flight_count;
  struct error error;          /* the first */

  pthread_mutex_t lock;
  pthread_cond_t filled;       /* nothing is missing in some block */
};

static void
put_block (struct write_blocks *blocks, struct write_block *block)
{
  blocks->free[blocks->free_count++] = block;
}

int
write_blocks_open (struct file *file, struct write_blocks **blocks_out,
                   struct error *err)
{
  struct write_blocks *blocks = calloc (1, sizeof *blocks);
  unsigned int i;

  if (blocks == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up writing");
  blocks->file = file;
  blocks->count = file->how.frugal ? WRITE_BLOCKS_LEAST : BLOCK_COUNT;
  blocks->size = file->direct && file_keeps_holes (file) ? 0 : UINT64_MAX;
  pthread_mutex_init (&blocks->lock, NULL);
  pthread_cond_init (&blocks->filled, NULL);
  blocks->memory = buffer_allocate (blocks->count * WRITE_BLOCK_BYTES);
  if (blocks->memory == NULL) {
    error_set (err, ERROR_FAILED, errno, "cannot set up writing");
    write_blocks_close (blocks);
    return -1;
  }
  for (i = blocks->count; i-- > 0;) {
    blocks->blocks[i].bytes = blocks->memory + i * WRITE_BLOCK_BYTES;
    put_block (blocks, &blocks->blocks[i]);
  }
  if (!file->stream && aio_open (blocks->count, &blocks->aio, err) < 0) {
    write_blocks_close (blocks);
    return -1;
  }
  *blocks_out = blocks;
  return 0;
}

void
write_blocks_close (struct write_blocks *blocks)
{
  if (blocks == NULL)
    return;
  aio_close (blocks->aio);
  buffer_free (blocks->memory, blocks->count * WRITE_BLOCK_BYTES);
  pthread_cond_destroy (&blocks->filled);
  pthread_mutex_destroy (&blocks->lock);
  free (blocks);
}

/* Whether a write has failed: then, ERR says how. */
static bool
has_failed (const struct write_blocks *blocks, struct error *err)
{
  if (blocks->error.kind == ERROR_NONE)
    return false;
  *err = blocks->error;
  return true;
}

/* Take back one block that has been written, waiting for it when WAIT is set.
 * Returns 1, 0 when none is in flight, or has ended, or -1.
 */
static int
reap_block (struct write_blocks *blocks, bool wait, struct error *err)
{
  struct aio_request *request;
  struct write_block *block;

  if (blocks->in_flight_count == 0)
    return 0;
  request = aio_wait (blocks->aio, wait);
  if (request == NULL)
    return 0;
  block = request->owner;
  blocks->in_flight_count--;
  /* It stays in flight: nothing from there on has been written. */
  if (request->errnum != 0) {
    error_about (&blocks->error, ERROR_FAILED, request->errnum,
                 blocks->file->name, "cannot be written");
    has_failed (blocks, err);
    return -1;
  }
  block->in_flight = false;
  file_write_behind (blocks->file, request->offset, request->length);
  put_block (blocks, block);
  return 1;
}

/* Set the size ahead of a write that ends at END.  A limit of the file's size
 * may be what the file itself keeps to.
 */
static int
extend_ahead (struct write_blocks *blocks, uint64_t end, struct error *err)
{
  int possible;

  if (end <= blocks->size)
    return 0;
  /* As much again as there is, so that a small file stays one. */
  blocks->size = align_up (end + minimum_u64 (end, AHEAD_BYTES_MAX),
                           PAGE_BYTES);
  possible = file_extend (blocks->file, blocks->size, err);
  if (possible == 0)
    blocks->size = UINT64_MAX;
  return possible < 0 ? -1 : 0;
}

static void
submit (struct write_blocks *blocks, struct write_block *block, size_t length)
{
  struct aio_request *request = &block->request;

  request->file = blocks->file;
  request->write = true;
  request->buffer = block->bytes;
  request->length = length;
  request->needed = length;
  request->offset = block->offset;
  request->owner = block;
  block->in_flight = true;
  blocks->in_flight_count++;
  aio_submit (blocks->aio, request);
  aio_flush (blocks->aio);
}

/* Start writing LENGTH bytes of BLOCK, in which nothing is missing. */
static int
start (struct write_blocks *blocks, struct write_block *block, size_t length,
       struct error *err)
{
  bool stream = blocks->aio == NULL;
  int result = stream
    ? file_write_stream (blocks->file, block->bytes, length, err)
    : extend_ahead (blocks, block->offset + length, err);

  if (result < 0) {
    blocks->error = *err;
    return -1;
  }
  if (stream)
    put_block (blocks, block);
  else
    submit (blocks, block, length);
  return 0;
}

static bool
is_filled (struct write_blocks *blocks, const struct write_block *block)
{
  bool result;

  pthread_mutex_lock (&blocks->lock);
  result = block->missing == 0;
  pthread_mutex_unlock (&blocks->lock);
  return result;
}

/* Wait until nothing is missing in BLOCK. */
static void
wait_filled (struct write_blocks *blocks, const struct write_block *block)
{
  pthread_mutex_lock (&blocks->lock);
  while (block->missing > 0)
    pthread_cond_wait (&blocks->filled, &blocks->lock);
  pthread_mutex_unlock (&blocks->lock);
}

/* Start the queued blocks in which nothing is missing, up to the first in which
 * something is.
 */
static int
start_queued (struct write_blocks *blocks, struct error *err)
{
  unsigned int count = 0;
  int result = 0;

  while (count < blocks->queue_count &&
         is_filled (blocks, blocks->queue[count])) {
    result = start (blocks, blocks->queue[count], WRITE_BLOCK_BYTES, err);
    if (result < 0)
      break;
    count++;
  }
  blocks->queue_count -= count;
  memmove (blocks->queue, blocks->queue + count,
           blocks->queue_count * sizeof blocks->queue[0]);
  return result;
}

/* Get one step on: a block is started that was queued, one that was in flight
 * has been written, or the first of the queue can start now.  Returns 1, 0 when
 * there is none of these, or -1 with ERR.
 */
static int
wait_for_block (struct write_blocks *blocks, struct error *err)
{
  unsigned int queued = blocks->queue_count;

  if (has_failed (blocks, err) || start_queued (blocks, err) < 0)
    return -1;
  /* That was the step: what is queued now the caller himself may have to fill.
   */
  if (blocks->queue_count < queued)
    return 1;
  if (blocks->in_flight_count > 0)
    return reap_block (blocks, true, err);
  if (queued == 0)
    return 0;
  wait_filled (blocks, blocks->queue[0]);
  return 1;
}

struct write_block *
write_blocks_next (struct write_blocks *blocks, uint64_t offset,
                   const uint8_t *bytes, size_t count, struct error *err)
{
  struct write_block *block;

  if (has_failed (blocks, err))
    return NULL;
  while (blocks->free_count == 0)
    if (wait_for_block (blocks, err) < 0)
      return NULL;
  block = blocks->free[--blocks->free_count];
  /* It may be the one that they are in. */
  if (count > 0)
    memmove (block->bytes, bytes, count);
  block->offset = offset;
  block->used = count;
  block->queued = false;
  return block;
}

void
write_blocks_reserve (struct write_blocks *blocks, struct write_block *block,
                      size_t length)
{
  pthread_mutex_lock (&blocks->lock);
  block->missing += length;
  pthread_mutex_unlock (&blocks->lock);
  block->used += length;
}

bool
write_blocks_fill (struct write_blocks *blocks, struct write_block *block,
                   size_t start_byte, const uint8_t *bytes, size_t length)
{
  bool complete;

  bytes_copy_out (block->bytes + start_byte, bytes, length);
  pthread_mutex_lock (&blocks->lock);
  block->missing -= length;
  complete = block->missing == 0;
  if (complete)
    pthread_cond_signal (&blocks->filled);
  complete = complete && block->queued;
  pthread_mutex_unlock (&blocks->lock);
  return complete;
}

int
write_blocks_queue (struct write_blocks *blocks, struct write_block *block,
                    struct error *err)
{
  if (has_failed (blocks, err))
    return -1;
  pthread_mutex_lock (&blocks->lock);
  block->queued = true;
  pthread_mutex_unlock (&blocks->lock);
  blocks->queue[blocks->queue_count++] = block;
  return start_queued (blocks, err);
}

int
write_blocks_start (struct write_blocks *blocks, struct write_block *block,
                    size_t length, struct error *err)
{
  if (has_failed (blocks, err))
    return -1;
  while (blocks->queue_count > 0)
    if (wait_for_block (blocks, err) < 0)
      return -1;
  wait_filled (blocks, block);
  return start (blocks, block, length, err);
}

int
write_blocks_poll (struct write_blocks *blocks, struct error *err)
{
  int reaped;

  if (has_failed (blocks, err) || start_queued (blocks, err) < 0)
    return -1;
  do
    reaped = reap_block (blocks, false, err);
  while (reaped > 0);
  return reaped;
}

int
write_blocks_wait (struct write_blocks *blocks, struct error *err)
{
  int result;

  do
    result = wait_for_block (blocks, err);
  while (result > 0);
  return result;
}

bool
write_blocks_idle (const struct write_blocks *blocks)
{
  return blocks->queue_count == 0 && blocks->in_flight_count == 0;
}

uint64_t
write_blocks_lowest (const struct write_blocks *blocks)
{
  uint64_t lowest =
    blocks->queue_count > 0 ? blocks->queue[0]->offset : UINT64_MAX;
  unsigned int i;

  for (i = 0; i < blocks->count; i++)
    if (blocks->blocks[i].in_flight)
      lowest = minimum_u64 (lowest, blocks->blocks[i].offset);
  return lowest;
}

void
write_blocks_wind_down (struct write_blocks *blocks)
{
  struct error later = { 0 };

  if (blocks->aio == NULL)
    return;
  /* The next call says so when this fails. */
  start_queued (blocks, &later);
  aio_wind_down (blocks->aio);
}
