/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes of one regular file and of another. */

#include <config.h>

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "io/aio.h"
#include "io/file_copy.h"
#include "io/file_private.h"
#include "util/bytes.h"
#include "util/cleanup.h"

#define BLOCK_BYTES (1u << 20)
#define BLOCK_COUNT 8u

struct copy {
  struct file *from, *to;
  struct aio *aio;
  struct aio_request blocks[BLOCK_COUNT];
  uint64_t next;               /* offset of the block to read next */
  uint64_t end;
};

/* Share the blocks from OFFSET on; a length of 0 is all up to the end. */
static bool
share_blocks (const struct file *from, const struct file *to, uint64_t offset)
{
  struct file_clone_range range = {
    .src_fd = from->fd,
    .src_offset = offset,
    .dest_offset = offset,
  };

  return ioctl (to->fd, FICLONERANGE, &range) == 0;
}

/* Start reading the next block into the buffer of REQUEST. */
static void
start_read (struct copy *copy, struct aio_request *request)
{
  uint64_t length = minimum_u64 (BLOCK_BYTES, copy->end - copy->next);

  request->file = copy->from;
  request->write = false;
  request->offset = copy->next;
  request->needed = (size_t) length;
  request->length = (size_t) align_up (length, PAGE_BYTES);
  copy->next += length;
  aio_submit (copy->aio, request);
}

/* Write what REQUEST has read, the last page filled up. */
static void
start_write (struct copy *copy, struct aio_request *request)
{
  memset ((uint8_t *) request->buffer + request->needed, 0,
          request->length - request->needed);
  request->file = copy->to;
  request->write = true;
  request->needed = request->length;
  aio_submit (copy->aio, request);
}

static int
check (const struct copy *copy, const struct aio_request *request,
       struct error *err)
{
  errno = request->errnum;
  if (errno != 0)
    return file_fail (request->file, err,
                      request->write ? "cannot be written"
                      : "cannot be read");
  return file_check_cancelled (copy->from, err);
}

static int
copy_blocks (struct copy *copy, struct error *err)
{
  struct aio_request *request;
  size_t i;

  for (i = 0; i < BLOCK_COUNT && copy->next < copy->end; i++)
    start_read (copy, &copy->blocks[i]);
  /* After an error nothing is started, only waited for. */
  while ((request = aio_wait (copy->aio, true)) != NULL)
    if (err->kind == ERROR_NONE && check (copy, request, err) == 0) {
      if (!request->write)
        start_write (copy, request);
      else {
        file_write_behind (copy->to, request->offset, request->length);
        if (copy->next < copy->end)
          start_read (copy, request);
      }
    }
  return err->kind == ERROR_NONE ? 0 : -1;
}

static int
copy_through_memory (struct file *from, struct file *to, uint64_t offset,
                     uint64_t end, struct error *err)
{
  struct copy copy = { .from = from, .to = to, .next = offset, .end = end };
  CLEANUP_FREE void *memory = NULL;
  size_t i;
  int result;

  errno = posix_memalign (&memory, PAGE_BYTES, BLOCK_COUNT * BLOCK_BYTES);
  if (errno != 0)
    return file_fail (from, err, "cannot be copied");
  for (i = 0; i < BLOCK_COUNT; i++)
    copy.blocks[i].buffer = (uint8_t *) memory + i * BLOCK_BYTES;
  if (aio_open (BLOCK_COUNT, &copy.aio, err) < 0)
    return -1;
  result = copy_blocks (&copy, err);
  aio_close (copy.aio);
  return result;
}

int
file_copy (struct file *from, struct file *to, uint64_t offset, uint64_t end,
           struct error *err)
{
  if (!share_blocks (from, to, offset) &&
      copy_through_memory (from, to, offset, end, err) < 0)
    return -1;
  return file_truncate (to, end, err);
}

int
file_same_bytes (const struct file *a, const struct file *b, uint64_t length,
                 struct error *err)
{
  struct read_at first = read_at_of_file (a), second = read_at_of_file (b);

  /* Few bytes; and of a file that is being written the size is not known. */
  first.next_data = second.next_data = NULL;
  return read_at_same (&first, &second, 0, length, err);
}
