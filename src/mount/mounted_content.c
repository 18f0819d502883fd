/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The content of a regular file of the store. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include "mount/mounted_private.h"
#include "mount/transfer.h"

static int
read_image (struct mounted *file, uint64_t offset, void *buffer,
            size_t length, size_t *count)
{
  uint64_t size = file->shown->image->header.source_bytes;
  struct error err = { 0 };

  *count = offset < size ? (size_t) minimum_u64 (length, size - offset) : 0;
  if (offset + *count > file->shown->image->header.prefix_bytes)
    atomic_store (&file->disturbed, true);
  if (*count == 0 || shown_read (file->mounting, file->shown, offset, buffer,
                                 *count, &err) == 0)
    return 0;
  error_subject (&err, file->shown->file.name);
  mounting_say_error (file->mounting, &err);
  return EIO;
}

/* Under the lock. */
static int
read_content (struct mounted *file, uint64_t offset, void *buffer,
              size_t length, size_t *count)
{
  if (file->writing != NULL)
    return writing_read (file->writing, offset, buffer, length, count);
  switch (file->content) {
  case SHOWN_PLAIN:
    return read_up_to (file->fd, offset, buffer, length, count);
  case SHOWN_IMAGE:
    return read_image (file, offset, buffer, length, count);
  case SHOWN_UNFINISHED:
    break;
  }
  return EIO;
}

int
mounted_read (struct mounted *file, uint64_t offset, void *buffer,
              size_t length, size_t *count)
{
  int result;

  pthread_rwlock_rdlock (&file->lock);
  result = read_content (file, offset, buffer, length, count);
  pthread_rwlock_unlock (&file->lock);
  return result;
}

static int
seek_image (const struct shown_image *shown, uint64_t offset, int whence,
            uint64_t *found)
{
  uint64_t size = shown->image->header.source_bytes;

  if (offset >= size)
    return ENXIO;
  *found = whence == SEEK_DATA ? shown_next_data (shown, offset)
    : shown_next_hole (shown, offset);
  return whence == SEEK_DATA && *found >= size ? ENXIO : 0;
}

static int
seek_plain (int fd, uint64_t offset, int whence, uint64_t *found)
{
  off_t result = lseek (fd, (off_t) offset, whence);

  if (result < 0)
    return errno;
  *found = (uint64_t) result;
  return 0;
}

int
mounted_seek (struct mounted *file, uint64_t offset, int whence,
              uint64_t *found)
{
  int result;

  pthread_rwlock_rdlock (&file->lock);
  if (file->writing != NULL)
    result = writing_seek (file->writing, offset, whence, found);
  else if (file->content == SHOWN_IMAGE)
    result = seek_image (file->shown, offset, whence, found);
  else
    result = seek_plain (file->fd, offset, whence, found);
  pthread_rwlock_unlock (&file->lock);
  return result;
}

/* Write to an image, within its prefix. */
static int
write_prefix (struct mounted *file, uint64_t offset, const void *buffer,
              size_t length)
{
  int result = write_fully (file->fd, offset, buffer, length);

  /* The header is libvirt's last word about a save. */
  return result == 0 && offset == 0 ? sync_data (file->fd) : result;
}

/* Under the lock.  Returns EAGAIN when it is for take_up to do. */
static int
write_content (struct mounted *file, uint64_t offset, const void *buffer,
               size_t length)
{
  if (file->writing != NULL)
    return writing_write (file->writing, offset, buffer, length);
  switch (file->content) {
  case SHOWN_PLAIN:
    return write_fully (file->fd, offset, buffer, length);
  case SHOWN_IMAGE:
    if (offset + length <= file->shown->image->header.prefix_bytes)
      return write_prefix (file, offset, buffer, length);
    return EAGAIN;
  case SHOWN_UNFINISHED:
    break;
  }
  return EIO;
}

/* Let an image be written to, where nobody else has done that. */
static int
take_up (struct mounted *file)
{
  int result = 0;

  pthread_rwlock_wrlock (&file->lock);
  if (file->writing == NULL && file->content == SHOWN_IMAGE)
    result = mounted_take_up (file);
  pthread_rwlock_unlock (&file->lock);
  return result;
}

int
mounted_write (struct mounted *file, uint64_t offset, const void *buffer,
               size_t length)
{
  int result;

  for (;;) {
    pthread_rwlock_rdlock (&file->lock);
    result = write_content (file, offset, buffer, length);
    pthread_rwlock_unlock (&file->lock);
    if (result != EAGAIN)
      return result;
    result = take_up (file);
    if (result != 0)
      return result;
  }
}

/* Under the lock, for writing, of a file that is open. */
static int
set_size (struct mounted *file, uint64_t size)
{
  int result;

  if (size == 0)
    return mounted_start_anew (file);
  result = mounted_check_half (file);
  if (result == 0 && file->writing == NULL && file->content == SHOWN_IMAGE)
    result = mounted_take_up (file);
  if (result != 0)
    return result;
  if (file->writing != NULL)
    return writing_truncate (file->writing, size);
  if (file->content == SHOWN_UNFINISHED)
    return EIO;
  return truncate_to (file->fd, size);
}

int
mounted_truncate (struct mounted *file, uint64_t size)
{
  bool open;
  int result = 0;

  pthread_rwlock_wrlock (&file->lock);
  open = file->opens > 0;
  if (!open)
    result = mounted_open_locked (file, size == 0 ? O_RDWR | O_TRUNC
                                  : O_RDWR);
  if (result == 0) {
    result = set_size (file, size);
    if (!open)
      mounted_release_locked (file, O_RDWR);
  }
  pthread_rwlock_unlock (&file->lock);
  return result;
}

/* Under the lock. */
static int
change_writing (struct writing *writing, int mode, uint64_t offset,
                uint64_t length)
{
  struct stat now;
  int result;

  /* Room that is only reserved is none for what gets smaller. */
  if ((mode & ~(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE |
                FALLOC_FL_KEEP_SIZE)) != 0 ||
      (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) == 0)
    return EOPNOTSUPP;
  result = writing_zero (writing, offset, length);
  if (result != 0 || (mode & FALLOC_FL_KEEP_SIZE) != 0)
    return result;
  writing_attributes (writing, &now);
  if (offset + length <= (uint64_t) now.st_size)
    return 0;
  return writing_truncate (writing, offset + length);
}

int
mounted_allocate (struct mounted *file, int mode, uint64_t offset,
                  uint64_t length)
{
  int result = take_up (file);

  if (result != 0)
    return result;
  pthread_rwlock_rdlock (&file->lock);
  if (file->writing != NULL)
    result = change_writing (file->writing, mode, offset, length);
  else if (file->content != SHOWN_PLAIN)
    result = EIO;
  else
    result = allocate_range (file->fd, mode, offset, length);
  pthread_rwlock_unlock (&file->lock);
  return result;
}

int
mounted_sync (struct mounted *file, bool only_data)
{
  int result;

  pthread_rwlock_rdlock (&file->lock);
  if (file->writing != NULL)
    result = writing_finish (file->writing);
  else
    result = only_data ? sync_data (file->fd) : sync_all (file->fd);
  pthread_rwlock_unlock (&file->lock);
  return result;
}

void
mounted_set_time (struct mounted *file, const struct timespec *time)
{
  pthread_rwlock_rdlock (&file->lock);
  if (file->writing != NULL)
    writing_set_time (file->writing, time);
  pthread_rwlock_unlock (&file->lock);
}
