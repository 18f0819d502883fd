/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading, writing and changing open files. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file_private.h"
#include "util/bytes.h"
#include "util/cleanup.h"

/* Unaligned reads of an O_DIRECT file go through a buffer of this size. */
#define BOUNCE_BYTES (256u << 10)

/* Buffered writing keeps this much dirty before it waits for the disk. */
#define DIRTY_BYTES (8u << 20)

/* How long to wait for a stream before looking whether to go on, milliseconds.
 */
#define PATIENCE 200

int
file_fail (const struct file *file, struct error *err, const char *what)
{
  /* An interrupted call that was not to be made again. */
  return errno == EINTR
    ? error_about (err, ERROR_CANCELLED, 0, file->name, "cancelled by a signal")
    : error_about (err, ERROR_FAILED, errno, file->name, "%s", what);
}

static bool
is_cancelled (const struct file *file)
{
  return file->how.cancelled != NULL && *file->how.cancelled != 0;
}

bool
file_again (const struct file *file)
{
  return errno == EINTR && !is_cancelled (file);
}

void
file_close (struct file *file)
{
  int fd = file->fd;

  if (fd >= 0 && !file->direct)
    file_drop_cache (file, 0, 0);
  file->fd = -1;
  if (file->waits && file->wait_fd >= 0)
    close (file->wait_fd);
  file->waits = false;
  if (fd >= 0 && file->owned)
    close (fd);
}

int
file_drop_direct (struct file *file, struct error *err)
{
  int flags = fcntl (file->fd, F_GETFL);

  if (!file->direct || flags < 0 ||
      fcntl (file->fd, F_SETFL, flags & ~O_DIRECT) < 0)
    return file_fail (file, err, "cannot turn direct I/O off");
  file->direct = false;
  return 0;
}

/* pread, page by page with O_DIRECT, until LENGTH bytes or the end of the file,
 * which is where a page comes short twice.  Returns -1 with errno.
 */
static ssize_t
read_fully (const struct file *file, uint64_t offset, uint8_t *buffer,
            size_t length)
{
  size_t done = 0, stalled = 0;

  while (done < length) {
    ssize_t count = pread (file->fd, buffer + done, length - done,
                           (off_t) (offset + done));
    size_t end;

    if (count < 0 && file_again (file))
      continue;
    if (count < 0)
      return -1;
    end = done + (size_t) count;
    if (end == length || end == done || end == stalled)
      return (ssize_t) end;
    stalled = end % PAGE_BYTES != 0 ? end : 0;
    done = align_down (end, PAGE_BYTES);
  }
  return (ssize_t) done;
}

static int
ends_early (const struct file *file, uint64_t offset, struct error *err)
{
  return error_about (err, ERROR_BAD_INPUT, 0, file->name,
                      "the file ends before byte %llu",
                      (unsigned long long) offset);
}

/* Read through an aligned buffer. */
static int
read_bounced (const struct file *file, uint64_t offset, uint8_t *buffer,
              size_t length, struct error *err)
{
  CLEANUP_FREE void *bounce = NULL;

  errno = posix_memalign (&bounce, PAGE_BYTES, BOUNCE_BYTES);
  if (errno != 0)
    return file_fail (file, err, "cannot be read");
  while (length > 0) {
    uint64_t start = align_down (offset, PAGE_BYTES);
    size_t skip = (size_t) (offset - start);
    size_t want = (size_t) minimum_u64 (BOUNCE_BYTES, skip + length);
    ssize_t count = read_fully (file, start, bounce,
                                (size_t) align_up (want, PAGE_BYTES));

    if (count < 0)
      return file_fail (file, err, "cannot be read");
    if ((size_t) count < want)
      return ends_early (file, offset + length, err);
    memcpy (buffer, (uint8_t *) bounce + skip, want - skip);
    buffer += want - skip;
    offset += want - skip;
    length -= want - skip;
  }
  return 0;
}

/* Whole pages come to where they are wanted, if that is aligned. */
static int
read_direct (const struct file *file, uint64_t offset, uint8_t *buffer,
             size_t length, struct error *err)
{
  bool aligned = (offset | (uintptr_t) buffer) % PAGE_BYTES == 0;
  size_t whole = aligned ? align_down (length, PAGE_BYTES) : 0;
  ssize_t count = read_fully (file, offset, buffer, whole);

  if (count < 0)
    return file_fail (file, err, "cannot be read");
  if ((size_t) count < whole)
    return ends_early (file, offset + length, err);
  return whole == length ? 0
    : read_bounced (file, offset + whole, buffer + whole, length - whole,
                    err);
}

int
file_check_cancelled (const struct file *file, struct error *err)
{
  if (!is_cancelled (file))
    return 0;
  errno = EINTR;
  return file_fail (file, err, "cannot be used");
}

int
file_read_at (const struct file *file, uint64_t offset, void *buffer,
              size_t length, struct error *err)
{
  uint8_t *bytes = buffer;

  if (file_check_cancelled (file, err) < 0)
    return -1;
  if (file->direct)
    return read_direct (file, offset, bytes, length, err);
  while (length > 0) {
    ssize_t count = pread (file->fd, bytes, length, (off_t) offset);

    if (count < 0 && file_again (file))
      continue;
    if (count < 0)
      return file_fail (file, err, "cannot be read");
    if (count == 0)
      return ends_early (file, offset + length, err);
    bytes += count;
    offset += (uint64_t) count;
    length -= (size_t) count;
  }
  return 0;
}

ssize_t
file_read_stream (const struct file *file, void *buffer, size_t length,
                  struct error *err)
{
  struct pollfd input = { .fd = file->fd, .events = POLLIN };

  while (!atomic_load (&file->interrupted) && !is_cancelled (file)) {
    int ready = poll (&input, 1, PATIENCE);

    if (ready < 0 && errno != EINTR)
      return file_fail (file, err, "cannot be read");
    if (ready > 0) {
      ssize_t count = read (file->fd, buffer, length);

      if (count < 0 && errno != EINTR && errno != EAGAIN)
        return file_fail (file, err, "cannot be read");
      if (count >= 0)
        return count;
    }
  }
  errno = EINTR;
  return file_fail (file, err, "cannot be read");
}

int
file_write_stream (const struct file *file, const void *buffer, size_t length,
                   struct error *err)
{
  struct pollfd output = { .fd = file->fd, .events = POLLOUT };
  const uint8_t *bytes = buffer;

  while (length > 0) {
    int ready;
    ssize_t count;

    if (file_check_cancelled (file, err) < 0)
      return -1;
    ready = poll (&output, 1, PATIENCE);
    if (ready < 0 && errno != EINTR)
      return file_fail (file, err, "cannot be written");
    /* After a signal, too: the pipe may be full, and a write would not end. */
    if (ready <= 0)
      continue;
    count = write (file->fd, bytes, length);
    if (count < 0 && errno != EINTR && errno != EAGAIN)
      return file_fail (file, err, "cannot be written");
    if (count > 0) {
      bytes += count;
      length -= (size_t) count;
    }
  }
  return 0;
}

int
file_write_at (struct file *file, uint64_t offset, const void *buffer,
               size_t length, struct error *err)
{
  const uint8_t *bytes = buffer;

  while (length > 0) {
    ssize_t count = pwrite (file->fd, bytes, length, (off_t) offset);

    if (count < 0 && file_again (file))
      continue;
    if (count <= 0) {
      errno = count == 0 ? ENOSPC : errno;
      return file_fail (file, err, "cannot be written");
    }
    bytes += count;
    offset += (uint64_t) count;
    length -= (size_t) count;
  }
  return 0;
}

/* Returns 0, or -1 with errno. */
static int
set_size (const struct file *file, uint64_t size)
{
  int result;

  do
    result = ftruncate (file->fd, (off_t) size);
  while (result < 0 && file_again (file));
  return result;
}

int
file_truncate (struct file *file, uint64_t size, struct error *err)
{
  return set_size (file, size) == 0 ? 0
    : file_fail (file, err, "cannot set the size");
}

int
file_extend (struct file *file, uint64_t size, struct error *err)
{
  if (set_size (file, size) == 0)
    return 1;
  return errno == EFBIG ? 0 : file_fail (file, err, "cannot set the size");
}

static int
sync_with (struct file *file, int (*sync) (int), struct error *err)
{
  int result;

  do
    result = sync (file->fd);
  while (result < 0 && file_again (file));
  /* A pipe has nothing to flush, what else a stream may be has. */
  if (result < 0 && file->stream && (errno == EINVAL || errno == EROFS))
    return 0;
  return result < 0 ? file_fail (file, err, "cannot be flushed to disk") : 0;
}

int
file_sync (struct file *file, struct error *err)
{
  return sync_with (file, fdatasync, err);
}

int
file_sync_whole (struct file *file, struct error *err)
{
  return sync_with (file, fsync, err);
}

int
file_check_close (const struct file *file, struct error *err)
{
  int fd = fcntl (file->fd, F_DUPFD_CLOEXEC, 0);

  /* It is gone whatever close says, and EINTR is no loss. */
  if (fd < 0 || (close (fd) < 0 && errno != EINTR))
    return file_fail (file, err, "cannot be closed");
  return 0;
}

bool
file_same (const struct file *a, const struct file *b)
{
  struct stat first, second;

  if (fstat (a->fd, &first) < 0 || fstat (b->fd, &second) < 0)
    return false;
  /* A device can have many nodes. */
  if (S_ISBLK (first.st_mode) && S_ISBLK (second.st_mode))
    return first.st_rdev == second.st_rdev;
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* The descriptor to wait for writes with, or -1. */
static int
wait_descriptor (struct file *file)
{
  struct error ignored = { 0 };

  if (!file->waits) {
    file->wait_fd = file_open_reader (file, &ignored);
    file->waits = true;
  }
  return file->wait_fd;
}

void
file_write_behind (struct file *file, uint64_t offset, uint64_t length)
{
  uint64_t old;
  int fd;

  if (file->direct || file->stream)
    return;
  sync_file_range (file->fd, (off_t) offset, (off_t) length,
                   SYNC_FILE_RANGE_WRITE);
  if (offset < DIRTY_BYTES)
    return;
  old = offset - DIRTY_BYTES;
  fd = wait_descriptor (file);
  if (fd >= 0)
    sync_file_range (fd, (off_t) old, (off_t) length,
                     SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                     SYNC_FILE_RANGE_WAIT_AFTER);
  file_drop_cache (file, old, length);
}

void
file_drop_cache (const struct file *file, uint64_t offset, uint64_t length)
{
  if (!file->stream)
    posix_fadvise (file->fd, (off_t) offset, (off_t) length,
                   POSIX_FADV_DONTNEED);
}
