/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A regular file of the store, as the mount shows it. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "mount/mounted.h"
#include "mount/shown.h"
#include "mount/store.h"

struct mounted {
  struct mounting *mounting;
  int path_fd;                 /* O_PATH, the node's */

  /* Who reads and writes content holds it for reading; who changes what is below
   * for writing.
   */
  pthread_rwlock_t lock;
  unsigned int opens;
  int fd;                      /* while it is open, or -1 */
  bool looked;                 /* what follows is known */
  struct stat seen;            /* then, if this has not changed since */
  enum content content;
  uint64_t source_bytes;       /* of an image */
  struct shown_image *shown;   /* of an image that is open */
};

struct mounted *
mounted_new (struct mounting *mounting, int fd)
{
  struct mounted *file = calloc (1, sizeof *file);
  pthread_rwlockattr_t attributes;

  if (file == NULL)
    return NULL;
  file->mounting = mounting;
  file->path_fd = fd;
  file->fd = -1;
  pthread_rwlockattr_init (&attributes);
  /* Or readers could keep a release waiting for ever. */
  pthread_rwlockattr_setkind_np (&attributes,
    PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
  pthread_rwlock_init (&file->lock, &attributes);
  pthread_rwlockattr_destroy (&attributes);
  return file;
}

static void
close_content (struct mounted *file)
{
  shown_close (file->mounting, file->shown);
  file->shown = NULL;
  if (file->fd >= 0)
    close (file->fd);
  file->fd = -1;
}

void
mounted_free (struct mounted *file)
{
  if (file == NULL)
    return;
  close_content (file);
  pthread_rwlock_destroy (&file->lock);
  free (file);
}

static bool
same_time (const struct timespec *a, const struct timespec *b)
{
  return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Whether the content may have changed. */
static bool
has_changed (const struct stat *a, const struct stat *b)
{
  return a->st_size != b->st_size || !same_time (&a->st_mtim, &b->st_mtim) ||
    !same_time (&a->st_ctim, &b->st_ctim);
}

/* Under the lock, for writing: find out what the file, whose attributes are
 * NOW, is.
 */
static int
look (struct mounted *file, const struct stat *now)
{
  struct error err = { 0 };

  if (file->looked && !has_changed (&file->seen, now))
    return 0;
  file->looked = false;
  if (shown_look (file->path_fd, &file->content, &file->source_bytes,
                  &err) < 0) {
    mounting_say_error (file->mounting, &err);
    return error_errno (&err);
  }
  file->seen = *now;
  file->looked = true;
  return 0;
}

/* What is shown instead of NOW; false when that is not known yet. */
static bool
show (const struct mounted *file, struct stat *now)
{
  /* While it is open, what it was when it was opened. */
  if (file->shown == NULL &&
      (!file->looked || has_changed (&file->seen, now)))
    return false;
  if (file->content != CONTENT_PLAIN)
    now->st_size = (off_t) file->source_bytes;
  return true;
}

int
mounted_attributes (struct mounted *file, struct stat *now)
{
  bool known;
  int result;

  if (fstat (file->path_fd, now) < 0)
    return errno;
  pthread_rwlock_rdlock (&file->lock);
  known = show (file, now);
  pthread_rwlock_unlock (&file->lock);
  if (known)
    return 0;
  pthread_rwlock_wrlock (&file->lock);
  result = fstat (file->path_fd, now) < 0 ? errno : look (file, now);
  if (result == 0)
    show (file, now);
  pthread_rwlock_unlock (&file->lock);
  return result;
}

/* Under the lock, for writing: open the file itself. */
static int
open_descriptor (struct mounted *file, int flags)
{
  char path[NODE_PATH_BYTES];

  file->fd = open (descriptor_path (file->path_fd, path),
                   (flags & O_ACCMODE) | O_CLOEXEC | O_NOCTTY);
  return file->fd < 0 ? errno : 0;
}

/* Under the lock, for writing: get ready for the first that opens it. */
static int
open_content (struct mounted *file, int flags)
{
  struct error err = { 0 };
  struct stat now;
  int result = fstat (file->path_fd, &now) < 0 ? errno : look (file, &now);

  if (result != 0)
    return result;
  if (file->content == CONTENT_IMAGE && file->shown == NULL &&
      shown_open (file->mounting, file->path_fd, &file->shown, &err) < 0) {
    mounting_say_error (file->mounting, &err);
    return error_errno (&err);
  }
  return file->fd >= 0 ? 0 : open_descriptor (file, flags);
}

int
mounted_open (struct mounted *file, int flags)
{
  int result;

  pthread_rwlock_wrlock (&file->lock);
  result = open_content (file, flags);
  if (result == 0)
    file->opens++;
  else if (file->opens == 0)
    close_content (file);
  pthread_rwlock_unlock (&file->lock);
  return result;
}

void
mounted_release (struct mounted *file, int flags)
{
  (void) flags;
  pthread_rwlock_wrlock (&file->lock);
  if (--file->opens == 0)
    close_content (file);
  pthread_rwlock_unlock (&file->lock);
}

static int
read_plain (int fd, uint64_t offset, uint8_t *buffer, size_t length,
            size_t *count)
{
  *count = 0;
  while (*count < length) {
    ssize_t got = pread (fd, buffer + *count, length - *count,
                         (off_t) (offset + *count));

    if (got < 0 && errno != EINTR)
      return errno;
    if (got == 0)
      break;
    if (got > 0)
      *count += (size_t) got;
  }
  return 0;
}

static int
read_image (struct mounted *file, uint64_t offset, void *buffer,
            size_t length, size_t *count)
{
  uint64_t size = file->shown->image->header.source_bytes;
  struct error err = { 0 };

  *count = offset < size ? (size_t) minimum_u64 (length, size - offset) : 0;
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
  switch (file->content) {
  case CONTENT_PLAIN:
    return read_plain (file->fd, offset, buffer, length, count);
  case CONTENT_IMAGE:
    return read_image (file, offset, buffer, length, count);
  case CONTENT_UNFINISHED:
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
  result = file->content == CONTENT_IMAGE
    ? seek_image (file->shown, offset, whence, found)
    : seek_plain (file->fd, offset, whence, found);
  pthread_rwlock_unlock (&file->lock);
  return result;
}
