/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Appending to a file in aligned blocks, several of them in flight. */

#include <config.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/early_sync.h"
#include "io/writer.h"
#include "util/bytes.h"

struct writer {
  struct file *file;
  struct write_blocks *blocks;
  struct write_block *filling; /* that bytes are copied to */
  struct early_sync *sync;     /* NULL: not asked for, or a stream */
  uint64_t synced_from;        /* file offset from which SYNC counts */
};

/* Start the first block at the page of OFFSET, with the bytes before it. */
static int
begin_within_page (struct writer *writer, uint64_t offset, struct error *err)
{
  uint64_t start = align_down (offset, PAGE_BYTES);
  size_t before = (size_t) (offset - start);
  struct write_block *block =
    write_blocks_next (writer->blocks, start, NULL, 0, err);

  if (block == NULL)
    return -1;
  writer->filling = block;
  block->used = before;
  return before == 0 ? 0
    : file_read_at (writer->file, start, block->bytes, before, err);
}

int
writer_open (struct file *file, uint64_t offset, struct writer **writer_out,
             struct error *err)
{
  struct writer *writer = calloc (1, sizeof *writer);

  if (writer == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up writing");
  writer->file = file;
  if (write_blocks_open (file, &writer->blocks, err) < 0 ||
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
  write_blocks_close (writer->blocks);
  free (writer);
}

int
writer_sync_early (struct writer *writer, struct error *err)
{
  writer->synced_from = writer->filling->offset;
  return early_sync_open (writer->file, &writer->sync, err);
}

/* All before the block being filled has been written when nothing is under way.
 */
static int
sync_early (struct writer *writer, struct error *err)
{
  if (writer->sync == NULL)
    return 0;
  if (writer_poll (writer, err) < 0)
    return -1;
  if (!write_blocks_idle (writer->blocks))
    return 0;
  return early_sync_idle (writer->sync,
                          writer->filling->offset - writer->synced_from, err);
}

/* Go on behind the block being filled, which has been queued, or started up to
 * END bytes of it; the rest comes along.
 */
static int
next_block (struct writer *writer, size_t end, struct error *err)
{
  struct write_block *block = writer->filling;

  block = write_blocks_next (writer->blocks, block->offset + end,
                             block->bytes + end, block->used - end, err);
  if (block == NULL)
    return -1;
  writer->filling = block;
  return 0;
}

/* When the block being filled is full have it written and go on to the next. */
static int
write_when_full (struct writer *writer, struct error *err)
{
  if (writer->filling->used < WRITE_BLOCK_BYTES)
    return 0;
  if (sync_early (writer, err) < 0 ||
      write_blocks_queue (writer->blocks, writer->filling, err) < 0)
    return -1;
  return next_block (writer, WRITE_BLOCK_BYTES, err);
}

/* Append LENGTH bytes, or as many zeros when BYTES is NULL. */
static int
append (struct writer *writer, const uint8_t *bytes, uint64_t length,
        struct error *err)
{
  while (length > 0) {
    struct write_block *block = writer->filling;
    size_t part = (size_t) minimum_u64 (length,
                                        WRITE_BLOCK_BYTES - block->used);

    if (bytes != NULL) {
      bytes_copy_out (block->bytes + block->used, bytes, part);
      bytes += part;
    }
    else
      memset (block->bytes + block->used, 0, part);
    block->used += part;
    length -= part;
    if (write_when_full (writer, err) < 0)
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

int
writer_reserve (struct writer *writer, size_t length,
                struct writer_place *place, struct error *err)
{
  struct writer_part *part = place->parts;

  assert (length <= WRITER_RESERVE_MAX);
  *place = (struct writer_place) { 0 };
  while (length > 0) {
    struct write_block *block = writer->filling;

    part->block = block;
    part->start = block->used;
    part->length = (size_t) minimum_u64 (length,
                                         WRITE_BLOCK_BYTES - block->used);
    write_blocks_reserve (writer->blocks, block, part->length);
    length -= part->length;
    if (write_when_full (writer, err) < 0)
      return -1;
    part++;
  }
  return 0;
}

bool
writer_fill (struct writer *writer, const struct writer_place *place,
             const void *bytes)
{
  const uint8_t *from = bytes;
  bool complete = false;
  unsigned int i;

  for (i = 0; i < WRITER_PARTS && place->parts[i].length > 0; i++) {
    const struct writer_part *part = &place->parts[i];

    complete |= write_blocks_fill (writer->blocks, part->block, part->start,
                                   from, part->length);
    from += part->length;
  }
  return complete;
}

uint64_t
writer_offset (const struct writer *writer)
{
  return writer->filling->offset + writer->filling->used;
}

uint64_t
writer_completed (const struct writer *writer)
{
  return minimum_u64 (writer->filling->offset,
                      write_blocks_lowest (writer->blocks));
}

int
writer_poll (struct writer *writer, struct error *err)
{
  return write_blocks_poll (writer->blocks, err);
}

int
writer_push (struct writer *writer, struct error *err)
{
  size_t whole = (size_t) align_down (writer->filling->used, PAGE_BYTES);

  if (whole > 0 &&
      write_blocks_start (writer->blocks, writer->filling, whole, err) < 0)
    return -1;
  if (write_blocks_wait (writer->blocks, err) < 0)
    return -1;
  /* The rest of the last page is written again with what follows. */
  return whole > 0 ? next_block (writer, whole, err) : 0;
}

void
writer_wind_down (struct writer *writer)
{
  write_blocks_wind_down (writer->blocks);
}

/* O_DIRECT writes whole pages.  The padding of a regular file is written over
 * by what follows, or cut off by the final size, but a device may have bytes
 * there, or end within the page, as the largest file of FAT does.  There the
 * rest of a page goes through the page cache, and so does what follows.
 */
static int
leave_direct (struct writer *writer, struct error *err)
{
  struct file *file = writer->file;

  if (!file->direct || file_keeps_holes (file))
    return 0;
  return writer_push (writer, err) < 0 ? -1 : file_drop_direct (file, err);
}

/* What is in the block being filled. */
static int
write_tail (struct writer *writer, struct error *err)
{
  struct write_block *block = writer->filling;
  size_t length = block->used, padding = 0;

  if (length == 0)
    return 0;
  if (writer->file->direct) {
    padding = (size_t) align_up (length, PAGE_BYTES) - length;
    memset (block->bytes + length, 0, padding);
  }
  return write_blocks_start (writer->blocks, block, length + padding, err);
}

int
writer_settle (struct writer *writer, struct error *err)
{
  size_t used;

  if (leave_direct (writer, err) < 0)
    return -1;
  used = writer->filling->used;
  if (write_tail (writer, err) < 0 ||
      write_blocks_wait (writer->blocks, err) < 0 ||
      early_sync_finish (writer->sync, err) < 0)
    return -1;
  if (writer->file->stream || used == 0)
    return 0;
  return next_block (writer, (size_t) align_down (used, PAGE_BYTES), err);
}

int
writer_finish (struct writer *writer, struct error *err)
{
  if (writer_settle (writer, err) < 0)
    return -1;
  if (writer->file->regular &&
      file_truncate (writer->file, writer_offset (writer), err) < 0)
    return -1;
  return 0;
}
