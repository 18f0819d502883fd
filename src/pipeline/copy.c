/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream into a file or out of it, with the disk kept busy meanwhile. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/aio.h"
#include "io/descriptor.h"
#include "io/pipe_pace.h"
#include "pipeline/copy.h"
#include "util/buffer.h"
#include "util/bytes.h"

/* One write is one block, and an O_DIRECT write is padded to TAIL_BYTES: what
 * a block device holds behind the last byte depends on both.
 */
#define BLOCK_BYTES (1u << 20)
#define TAIL_BYTES (64u << 10)

/* One block is filled or emptied, the others are in flight. */
#define BLOCK_COUNT 4u
#define MEMORY_BYTES (BLOCK_COUNT * BLOCK_BYTES)

/* How far to move the end of the file ahead of what is written. */
#define AHEAD_MIN_BYTES (16u << 20)
#define AHEAD_MAX_BYTES (1u << 30)

/* Buffered bytes after which the disk is set to work. */
#define WRITEBACK_BYTES (8u << 20)

static const char stream_name[] = "stdio";

struct block {
  uint8_t *bytes;
  bool in_flight;
  struct aio_request request;
};

struct copy {
  struct file *file;
  int stream;
  struct pipe_pace pace;       /* of the stream */
  struct aio *aio;
  uint8_t *memory;             /* of the blocks */
  struct block blocks[BLOCK_COUNT];
  unsigned int count;          /* of blocks in use */
  uint64_t offset;             /* of the next block in the file */
  uint64_t copied;             /* bytes of the stream, without padding */
  uint64_t failed;             /* where the first write failed */
  uint64_t size;               /* the end of the file that was moved ahead */
  bool may_extend;
};

static int
fail (const char *name, const char *what, struct error *err)
{
  return error_about (err, ERROR_FAILED, errno, name, "%s", what);
}

static int
copy_open (struct copy *copy, struct error *err)
{
  unsigned int i;

  copy->memory = buffer_allocate (MEMORY_BYTES);
  if (copy->memory == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up the copy");
  for (i = 0; i < BLOCK_COUNT; i++)
    copy->blocks[i].bytes = copy->memory + (size_t) i * BLOCK_BYTES;
  pipe_pace_open (copy->stream, &copy->pace);
  return copy->file->direct ? aio_open (BLOCK_COUNT, &copy->aio, err) : 0;
}

static void
copy_close (struct copy *copy)
{
  aio_close (copy->aio);
  buffer_free (copy->memory, MEMORY_BYTES);
}

/* fdatasync(2); pipes and the like have nothing to make durable. */
static int
sync_output (int fd, const char *name, struct error *err)
{
  if (fdatasync (fd) < 0 && errno != EINVAL && errno != EROFS)
    return fail (name, "unable to fsync", err);
  return 0;
}

static void
start_block (struct copy *copy, struct block *block, bool write, size_t length)
{
  struct aio_request *request = &block->request;

  request->file = copy->file;
  request->write = write;
  request->buffer = block->bytes;
  request->length = length;
  request->needed = write ? length : 0;
  request->offset = copy->offset;
  request->owner = block;
  block->in_flight = true;
  copy->offset += length;
  aio_submit (copy->aio, request);
  aio_flush (copy->aio);
}

/* Take note of a finished transfer, waiting for one when WAIT is set.  Returns
 * false when there is none.
 */
static bool
reap_block (struct copy *copy, bool wait)
{
  struct aio_request *request = aio_wait (copy->aio, wait);
  struct block *block;

  if (request == NULL)
    return false;
  block = request->owner;
  block->in_flight = false;
  if (request->write && request->errnum != 0)
    copy->failed = minimum_u64 (copy->failed, request->offset + request->done);
  return true;
}

/* Wait for a block.  Returns -1 with ERR when its transfer failed. */
static int
wait_block (struct copy *copy, struct block *block, struct error *err)
{
  while (block->in_flight)
    reap_block (copy, true);
  if (block->request.errnum == 0)
    return 0;
  errno = block->request.errnum;
  return fail (copy->file->name,
               block->request.write ? "Unable to write" : "Unable to read",
               err);
}

/* Wait for every block, even after an error. */
static int
wait_all (struct copy *copy, struct error *err)
{
  int result = 0;
  unsigned int i;

  for (i = 0; i < BLOCK_COUNT; i++)
    if (wait_block (copy, &copy->blocks[i], err) < 0)
      result = -1;
  return result;
}

/* A write that moves the end of the file makes ext4 and XFS wait for it and
 * for all before it.  So the end goes ahead, over a hole, and is set right
 * when everything is written.  Nothing may be in flight meanwhile: XFS puts
 * zeros over a write that moved the end while ftruncate waited for it.
 */
static int
extend (struct copy *copy, struct error *err)
{
  uint64_t ahead = maximum_u64 (AHEAD_MIN_BYTES,
                                minimum_u64 (AHEAD_MAX_BYTES, copy->offset));
  uint64_t size = copy->offset + ahead;
  struct rlimit limit;

  if (!copy->may_extend || copy->offset == 0 ||
      copy->offset + BLOCK_BYTES <= copy->size)
    return 0;
  if (wait_all (copy, err) < 0)
    return -1;
  /* Beyond the limit comes a signal. */
  copy->may_extend = getrlimit (RLIMIT_FSIZE, &limit) == 0 &&
    size <= limit.rlim_cur && ftruncate (copy->file->fd, (off_t) size) == 0;
  if (copy->may_extend)
    copy->size = size;
  return 0;
}

static bool
is_writing (struct copy *copy)
{
  unsigned int i;

  while (reap_block (copy, false))
    ;
  for (i = 0; i < BLOCK_COUNT; i++)
    if (copy->blocks[i].in_flight)
      return true;
  return false;
}

/* Fill BLOCK from the stream and start writing it.  Returns 1 when it was
 * filled, 0 at the end of the stream.
 */
static int
write_block (struct copy *copy, struct block *block, struct error *err)
{
  size_t padded;
  ssize_t got;

  if (wait_block (copy, block, err) < 0 || extend (copy, err) < 0)
    return -1;
  pipe_pace_wait (&copy->pace, is_writing (copy));
  got = descriptor_read_whole (copy->stream, block->bytes, BLOCK_BYTES);
  if (got < 0)
    return fail (stream_name, "Unable to read", err);
  if (got == 0)
    return 0;
  copy->copied += (uint64_t) got;
  padded = (size_t) align_up ((uint64_t) got, TAIL_BYTES);
  memset (block->bytes + got, 0, padded - (size_t) got);
  start_block (copy, block, true, padded);
  return got == BLOCK_BYTES;
}

static int
write_blocks (struct copy *copy, struct error *err)
{
  unsigned int i = 0;
  int more;

  do {
    more = write_block (copy, &copy->blocks[i], err);
    i = (i + 1) % copy->count;
  } while (more > 0);
  return more;
}

/* Set the size right that padding and extend have changed. */
static int
set_size (struct copy *copy, uint64_t size, struct error *err)
{
  if (!copy->file->regular || (size == copy->offset && copy->size == 0))
    return 0;
  if (ftruncate (copy->file->fd, (off_t) size) < 0)
    return fail (copy->file->name, "Unable to truncate", err);
  return 0;
}

static int
write_direct (struct copy *copy, uint64_t start, struct error *err)
{
  int result = write_blocks (copy, err);

  if (wait_all (copy, err) < 0 || result < 0) {
    set_size (copy, minimum_u64 (copy->failed, start + copy->copied), err);
    return -1;
  }
  if (set_size (copy, start + copy->copied, err) < 0)
    return -1;
  lseek (copy->file->fd, (off_t) copy->offset, SEEK_SET);
  return 0;
}

/* Set the disk to work before the cache is full of what it has to do. */
static void
start_writeback (const struct copy *copy)
{
  off_t end;

  if (copy->copied % WRITEBACK_BYTES != 0)
    return;
  end = lseek (copy->file->fd, 0, SEEK_CUR);
  if (end >= WRITEBACK_BYTES)
    sync_file_range (copy->file->fd, end - WRITEBACK_BYTES, WRITEBACK_BYTES,
                     SYNC_FILE_RANGE_WRITE);
}

static int
write_buffered (struct copy *copy, struct error *err)
{
  uint8_t *bytes = copy->blocks[0].bytes;
  ssize_t got;

  while ((got = descriptor_read_whole (copy->stream, bytes,
                                       BLOCK_BYTES)) > 0) {
    if (descriptor_write_whole (copy->file->fd, bytes, (size_t) got) < 0)
      return fail (copy->file->name, "Unable to write", err);
    copy->copied += (uint64_t) got;
    start_writeback (copy);
  }
  return got < 0 ? fail (stream_name, "Unable to read", err) : 0;
}

/* The file from its position on, to the end and a read that gives nothing.
 * With O_DIRECT short blocks are handed on as they are: a read for their rest
 * would not be aligned.
 */
static int
read_in_order (struct copy *copy, struct error *err)
{
  ssize_t (*read_bytes) (int, void *, size_t) =
    copy->file->direct ? descriptor_read : descriptor_read_whole;
  uint8_t *bytes = copy->blocks[0].bytes;
  ssize_t got;

  while ((got = read_bytes (copy->file->fd, bytes, BLOCK_BYTES)) > 0)
    if (descriptor_write_whole (copy->stream, bytes, (size_t) got) < 0)
      return fail (stream_name, "Unable to write", err);
  return got < 0 ? fail (copy->file->name, "Unable to read", err) : 0;
}

/* Read ahead and hand on in order, until a block comes short. */
static int
read_blocks (struct copy *copy, uint64_t *end, struct error *err)
{
  size_t done = BLOCK_BYTES;
  unsigned int i;

  for (i = 0; i < BLOCK_COUNT; i++)
    start_block (copy, &copy->blocks[i], false, BLOCK_BYTES);
  for (i = 0; done == BLOCK_BYTES; i = (i + 1) % BLOCK_COUNT) {
    struct block *block = &copy->blocks[i];

    if (wait_block (copy, block, err) < 0)
      return -1;
    done = block->request.done;
    if (descriptor_write_whole (copy->stream, block->bytes, done) < 0)
      return fail (stream_name, "Unable to write", err);
    *end += done;
    if (done == BLOCK_BYTES)
      start_block (copy, block, false, BLOCK_BYTES);
  }
  return 0;
}

static int
read_direct (struct copy *copy, struct error *err)
{
  uint64_t end = copy->offset;
  struct error ignored = { 0 };
  int result = read_blocks (copy, &end, err);

  /* What was read beyond that is not needed. */
  wait_all (copy, &ignored);
  lseek (copy->file->fd, (off_t) end, SEEK_SET);
  return result < 0 ? -1 : read_in_order (copy, err);
}

int
copy_to_file (struct file *file, int stream, struct error *err)
{
  struct copy copy = { .file = file, .stream = stream, .failed = UINT64_MAX };
  bool appending = (fcntl (file->fd, F_GETFL) & O_APPEND) != 0;
  off_t start = lseek (file->fd, 0, SEEK_CUR);
  int result = copy_open (&copy, err);

  /* Where the kernel chooses the offset, blocks go one after another. */
  copy.count = appending ? 1 : BLOCK_COUNT;
  copy.may_extend = file_keeps_holes (file) && !appending;
  copy.offset = start > 0 ? (uint64_t) start : 0;
  if (result == 0)
    result = file->direct ? write_direct (&copy, copy.offset, err)
      : write_buffered (&copy, err);
  copy_close (&copy);
  return result < 0 ? -1 : sync_output (file->fd, file->name, err);
}

int
copy_from_file (struct file *file, int stream, struct error *err)
{
  struct copy copy = { .file = file, .stream = stream };
  off_t start = lseek (file->fd, 0, SEEK_CUR);
  int result = copy_open (&copy, err);

  copy.offset = start > 0 ? (uint64_t) start : 0;
  if (!file->direct)
    posix_fadvise (file->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  if (result == 0)
    result = file->direct ? read_direct (&copy, err)
      : read_in_order (&copy, err);
  copy_close (&copy);
  return result < 0 ? -1 : sync_output (stream, stream_name, err);
}
