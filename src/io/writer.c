/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Appending to a file in aligned blocks, several of them in flight. */

#include <config.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/aio.h"
#include "io/early_sync.h"
#include "io/writer.h"
#include "util/buffer.h"
#include "util/bytes.h"

/* O_DIRECT writes are fastest with about 4 MiB in flight, and each costs as much
 * as copying half a MiB; one more block is being filled.  The others are for the
 * time in which a disk takes no writes, because it flushes.
 */
#define BLOCK_BYTES (4u << 20)
#define BLOCK_COUNT 4u
#define MEMORY_BYTES ((size_t) BLOCK_COUNT * BLOCK_BYTES)

/* How long to wait for a reader before looking whether to go on, in
 * milliseconds.
 */
#define PATIENCE 200

/* The size of the file is set up to this far ahead, in bytes.  O_DIRECT writes
 * that extend a file are done one by one, whatever is in flight.
 */
#define AHEAD_BYTES_MAX (64u << 20)

struct block {
  uint8_t *bytes;
  size_t used;
  bool in_flight;
  struct aio_request request;
};

struct writer {
  struct file *file;
  struct aio *aio;             /* NULL for a stream */
  struct early_sync *sync;     /* NULL: not asked for, or a stream */
  uint64_t synced_from;        /* file offset from which SYNC counts */
  uint8_t *memory;             /* of all blocks */
  struct block blocks[BLOCK_COUNT];
  /* The last one that came back goes out first: memory that is never needed is
   * never touched.
   */
  struct block *free[BLOCK_COUNT];
  unsigned int free_count;
  struct block *filling;       /* that bytes are copied to */
  uint64_t block_offset;       /* its file offset */
  uint64_t size;               /* of the file; UINT64_MAX: leave it alone */
};

/* Start the first block at the page of OFFSET, with the bytes before it. */
static int
begin_within_page (struct writer *writer, uint64_t offset, struct error *err)
{
  struct block *block = writer->filling;

  writer->block_offset = align_down (offset, PAGE_BYTES);
  block->used = (size_t) (offset - writer->block_offset);
  return block->used == 0 ? 0
    : file_read_at (writer->file, writer->block_offset, block->bytes,
                    block->used, err);
}

int
writer_open (struct file *file, uint64_t offset, struct writer **writer_out,
             struct error *err)
{
  struct writer *writer = calloc (1, sizeof *writer);
  unsigned int i;

  if (writer == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up writing");
  writer->file = file;
  writer->size = file->regular && file->direct ? 0 : UINT64_MAX;
  writer->memory = buffer_allocate (MEMORY_BYTES);
  if (writer->memory == NULL) {
    error_set (err, ERROR_FAILED, errno, "cannot set up writing");
    writer_close (writer);
    return -1;
  }
  for (i = 0; i < BLOCK_COUNT; i++) {
    writer->blocks[i].bytes = writer->memory + (size_t) i * BLOCK_BYTES;
    writer->free[i] = &writer->blocks[BLOCK_COUNT - 1 - i];
  }
  writer->free_count = BLOCK_COUNT - 1;
  writer->filling = writer->free[writer->free_count];
  if ((!file->stream && aio_open (BLOCK_COUNT, &writer->aio, err) < 0) ||
      begin_within_page (writer, offset, err) < 0) {
    writer_close (writer);
    return -1;
  }
  *writer_out = writer;
  return 0;
}

void
writer_close (struct writer *writer)
{
  if (writer == NULL)
    return;
  early_sync_close (writer->sync);
  aio_close (writer->aio);
  buffer_free (writer->memory, MEMORY_BYTES);
  free (writer);
}

int
writer_sync_early (struct writer *writer, struct error *err)
{
  writer->synced_from = writer->block_offset;
  return early_sync_open (writer->file, &writer->sync, err);
}

static int
fail (const struct writer *writer, int errnum, struct error *err)
{
  if (errnum == EINTR)
    error_set (err, ERROR_CANCELLED, 0, "cancelled by a signal");
  else
    error_set (err, ERROR_FAILED, errnum, "cannot be written");
  return error_subject (err, writer->file->name);
}

static void
put_block (struct writer *writer, struct block *block)
{
  writer->free[writer->free_count++] = block;
}

/* Take back one block that has been written, waiting for it when WAIT is set.
 * Returns 1, 0 when there is none, or -1.
 */
static int
reap_block (struct writer *writer, bool wait, struct error *err)
{
  struct aio_request *request = aio_wait (writer->aio, wait);
  struct block *block;

  if (request == NULL)
    return 0;
  block = request->owner;
  if (request->errnum != 0)
    return fail (writer, request->errnum, err);
  file_write_behind (writer->file, request->offset, request->length);
  block->in_flight = false;
  put_block (writer, block);
  return 1;
}

static int
write_stream (struct writer *writer, struct block *block, size_t length,
              struct error *err)
{
  struct pollfd ready = { .fd = writer->file->fd, .events = POLLOUT };
  size_t done = 0;

  while (done < length) {
    ssize_t count;

    if (file_check_cancelled (writer->file, err) < 0)
      return -1;
    /* Look up now and then while nobody reads. */
    if (poll (&ready, 1, PATIENCE) == 0)
      continue;
    count = write (writer->file->fd, block->bytes + done, length - done);
    if (count < 0 && errno != EAGAIN && errno != EINTR)
      return fail (writer, errno, err);
    if (count > 0)
      done += (size_t) count;
  }
  return 0;
}

/* Set the size ahead of a write that ends at END.  A limit of the file's size
 * may be what the file itself keeps to.
 */
static int
extend_ahead (struct writer *writer, uint64_t end, struct error *err)
{
  struct error why = { 0 };

  if (end <= writer->size)
    return 0;
  /* As much again as there is, so that a small file stays one. */
  writer->size = align_up (end + minimum_u64 (end, AHEAD_BYTES_MAX),
                           PAGE_BYTES);
  if (file_truncate (writer->file, writer->size, &why) == 0)
    return 0;
  if (why.errnum != EFBIG) {
    *err = why;
    return -1;
  }
  writer->size = UINT64_MAX;
  return 0;
}

/* Start writing LENGTH bytes of the block being filled. */
static int
start_block (struct writer *writer, size_t length, struct error *err)
{
  struct block *block = writer->filling;
  struct aio_request *request = &block->request;

  if (writer->aio == NULL) {
    if (write_stream (writer, block, length, err) < 0)
      return -1;
    put_block (writer, block);
    return 0;
  }
  if (extend_ahead (writer, writer->block_offset + length, err) < 0)
    return -1;
  request->file = writer->file;
  request->write = true;
  request->buffer = block->bytes;
  request->length = length;
  request->needed = length;
  request->offset = writer->block_offset;
  request->owner = block;
  block->in_flight = true;
  aio_submit (writer->aio, request);
  aio_flush (writer->aio);
  return 0;
}

/* Go on in a free block, waiting until there is one; COUNT bytes of it, from
 * BYTES, are known already.
 */
static int
next_block (struct writer *writer, const uint8_t *bytes, size_t count,
            struct error *err)
{
  while (writer->free_count == 0)
    if (reap_block (writer, true, err) < 0)
      return -1;
  writer->filling = writer->free[--writer->free_count];
  /* It may be the one that they are in. */
  if (count > 0)
    memmove (writer->filling->bytes, bytes, count);
  writer->filling->used = count;
  return 0;
}

static bool
is_idle (const struct writer *writer)
{
  return writer->free_count == BLOCK_COUNT - 1;
}

/* The block being filled is full: write it and go on to the next. */
static int
write_block (struct writer *writer, struct error *err)
{
  if (writer->sync != NULL &&
      (writer_poll (writer, err) < 0 ||
       (is_idle (writer) &&
        early_sync_idle (writer->sync,
                         writer->block_offset - writer->synced_from,
                         err) < 0)))
    return -1;
  if (start_block (writer, BLOCK_BYTES, err) < 0)
    return -1;
  writer->block_offset += BLOCK_BYTES;
  return next_block (writer, NULL, 0, err);
}

/* Append LENGTH bytes, or as many zeros when BYTES is NULL. */
static int
append (struct writer *writer, const uint8_t *bytes, uint64_t length,
        struct error *err)
{
  while (length > 0) {
    struct block *block = writer->filling;
    size_t part = (size_t) minimum_u64 (length, BLOCK_BYTES - block->used);

    if (bytes != NULL) {
      bytes_copy_out (block->bytes + block->used, bytes, part);
      bytes += part;
    }
    else
      memset (block->bytes + block->used, 0, part);
    block->used += part;
    length -= part;
    if (block->used == BLOCK_BYTES && write_block (writer, err) < 0)
      return -1;
  }
  return 0;
}

int
writer_append (struct writer *writer, const void *bytes, size_t length,
               struct error *err)
{
  return append (writer, bytes, length, err);
}

int
writer_append_zeros (struct writer *writer, uint64_t length,
                     struct error *err)
{
  return append (writer, NULL, length, err);
}

uint64_t
writer_offset (const struct writer *writer)
{
  return writer->block_offset + writer->filling->used;
}

uint64_t
writer_completed (const struct writer *writer)
{
  uint64_t completed = writer->block_offset;
  unsigned int i;

  for (i = 0; i < BLOCK_COUNT; i++)
    if (writer->blocks[i].in_flight)
      completed = minimum_u64 (completed, writer->blocks[i].request.offset);
  return completed;
}

int
writer_poll (struct writer *writer, struct error *err)
{
  int reaped;

  do
    reaped = reap_block (writer, false, err);
  while (reaped > 0);
  return reaped;
}

static int
wait_for_all (struct writer *writer, struct error *err)
{
  int reaped;

  do
    reaped = reap_block (writer, true, err);
  while (reaped > 0);
  return reaped;
}

int
writer_push (struct writer *writer, struct error *err)
{
  struct block *block = writer->filling;
  size_t whole = (size_t) align_down (block->used, PAGE_BYTES);

  if (whole > 0 && start_block (writer, whole, err) < 0)
    return -1;
  if (wait_for_all (writer, err) < 0)
    return -1;
  if (whole == 0)
    return 0;
  /* The rest of the last page is written again with what follows. */
  writer->block_offset += whole;
  return next_block (writer, block->bytes + whole, block->used - whole, err);
}

void
writer_wind_down (struct writer *writer)
{
  if (writer->aio != NULL)
    aio_wind_down (writer->aio);
}

/* The last block: padded to the alignment O_DIRECT needs, the padding cut off
 * again by the final size.
 */
static int
write_tail (struct writer *writer, struct error *err)
{
  struct block *block = writer->filling;
  size_t padded = (size_t) align_up (block->used, PAGE_BYTES);

  if (block->used == 0)
    return 0;
  if (!writer->file->direct)
    return start_block (writer, block->used, err);
  memset (block->bytes + block->used, 0, padded - block->used);
  return start_block (writer, padded, err);
}

int
writer_finish (struct writer *writer, struct error *err)
{
  if (write_tail (writer, err) < 0)
    return -1;
  if (writer->aio == NULL)
    return 0;
  if (wait_for_all (writer, err) < 0 ||
      early_sync_finish (writer->sync, err) < 0)
    return -1;
  if (writer->file->regular &&
      file_truncate (writer->file, writer_offset (writer), err) < 0)
    return -1;
  return 0;
}
