/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Appending to a file in aligned blocks, several of them in flight. */

#ifndef IOPRESS_IO_WRITER_H
#define IOPRESS_IO_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "io/write_blocks.h"

/* A writer belongs to one thread, but for writer_fill. */
struct writer;

/* Append to FILE from byte OFFSET on (0 for a stream); whatever a regular file
 * has behind that is cut off or overwritten.  Until writer_finish its size may
 * be ahead of what has been appended, with zeros between.  Where OFFSET is not
 * a multiple of 4096 the bytes before it in its page are read from FILE, to
 * be written again as they are.  FILE stays the caller's and must outlive
 * the writer.  Returns 0, or -1 with ERR.
 */
int writer_open (struct file *file, uint64_t offset, struct writer **writer,
                 struct error *err);

/* Abandon what is not written yet and free; NULL is ignored.  Waits for what is
 * in flight.  All there is to do with a writer after an error.
 */
void writer_close (struct writer *writer);

/* Let bytes become durable while others are appended: see io/early_sync.h.  For
 * those who call file_sync when all is written, and not before.  Returns 0, or
 * -1 with ERR.
 */
int writer_sync_early (struct writer *writer, struct error *err);

/* Append LENGTH bytes; they are copied.  Returns 0, or -1 with ERR, which may
 * be about bytes of an earlier call.
 */
int writer_append (struct writer *writer, const void *bytes, size_t length,
                   struct error *err);

/* Append LENGTH zero bytes. */
int writer_append_zeros (struct writer *writer, uint64_t length,
                         struct error *err);

/* The most that can be reserved at a time, in bytes: it is in so many blocks at
 * most.
 */
#define WRITER_RESERVE_MAX WRITE_BLOCK_BYTES
#define WRITER_PARTS WRITE_BLOCKS_LEAST

/* Room for bytes that follow each other in the file; its parts of length 0 are
 * not in use.
 */
struct writer_place {
  struct writer_part {
    struct write_block *block;
    size_t start, length;      /* in bytes, within the block */
  } parts[WRITER_PARTS];
};

/* Append LENGTH bytes, WRITER_RESERVE_MAX at most, which writer_fill will
 * bring.  Until then nothing behind them is written.  May wait for what was
 * reserved by earlier calls, never for these.  Returns 0, or -1 with ERR, which
 * may be about bytes of an earlier call.
 */
int writer_reserve (struct writer *writer, size_t length,
                    struct writer_place *place, struct error *err);

/* Any thread, once for each PLACE: bring the bytes that belong there.  Returns
 * whether a write may start now: let the writer's thread call writer_poll.
 */
bool writer_fill (struct writer *writer, const struct writer_place *place,
                  const void *bytes);

/* The file offset at which the next byte will stand. */
uint64_t writer_offset (const struct writer *writer);

/* Take note of writes that have ended and start those that can start, waiting
 * for nothing but a stream.  Returns 0, or -1 with ERR.
 */
int writer_poll (struct writer *writer, struct error *err);

/* Write what has been appended, but for the last part of a page, and wait for
 * it.  Returns 0, or -1 with ERR.  Not for a stream.
 */
int writer_push (struct writer *writer, struct error *err);

/* All bytes before this file offset have been written (not made durable:
 * call file_sync), as far as writer_poll knows.  Never beyond writer_offset.
 */
uint64_t writer_completed (const struct writer *writer);

/* Little is still to be appended: see aio_wind_down. */
void writer_wind_down (struct writer *writer);

/* Write all that has been appended and wait for it.  It is durable after a
 * file_sync, before anything else is appended; but what was flushed early and
 * is lost only this tells.  Returns 0, or -1 with ERR.  For a stream only as
 * the last of all.
 */
int writer_settle (struct writer *writer, struct error *err);

/* Write the rest, wait for all of it and set a regular file's size to
 * writer_offset.  A block device keeps the bytes after that.  What makes them
 * durable, and what this tells, is as for writer_settle.
 */
int writer_finish (struct writer *writer, struct error *err);

#endif /* IOPRESS_IO_WRITER_H */
