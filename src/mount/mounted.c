/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A regular file of the store, as the mount shows it. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "mount/mounted_private.h"
#include "mount/store.h"
#include "mount/transfer.h"

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

/* Whether a name leads to it. */
static bool
is_linked (const struct mounted *file)
{
  struct stat now;

  return fstat (file->path_fd, &now) < 0 || now.st_nlink > 0;
}

/* Under the lock, for writing: nobody has it open, or will write to it, any
 * more.
 */
static void
end_writing (struct mounted *file)
{
  char line[512];

  if (file->writing == NULL || !is_linked (file))
    return;
  /* An error has been said.  Nobody may have been told of it: closing cannot
   * fail.
   */
  file->failed = writing_finish (file->writing);
  if (file->failed != 0 && file->opens == 0)
    writing_roll_back (file->writing);
  if (file->failed != 0 || file->opens > 0)
    return;
  file->was_written = true;
  if (writing_describe (file->writing, line, sizeof line))
    file->mounting->say (SAY_NOTE, line);
}

static void
close_content (struct mounted *file)
{
  end_writing (file);
  writing_free (file->writing);
  file->writing = NULL;
  shown_close (file->mounting, file->shown);
  file->shown = NULL;
  if (file->fd >= 0)
    close (file->fd);
  file->fd = -1;
  file->looked = false;
}

void
mounted_free (struct mounted *file)
{
  if (file == NULL)
    return;
  file->opens = 0;
  close_content (file);
  pthread_rwlock_destroy (&file->lock);
  free (file);
}

static bool
is_for_writing (int flags)
{
  return (flags & O_ACCMODE) != O_RDONLY;
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
                  &file->half, &err) < 0)
    return mounting_say_error (file->mounting, &err);
  file->seen = *now;
  file->looked = true;
  return 0;
}

/* What is shown instead of NOW; false when that is not known yet. */
static bool
show (const struct mounted *file, struct stat *now)
{
  if (file->writing != NULL) {
    writing_attributes (file->writing, now);
    return true;
  }
  /* While it is open, what it was when it was opened. */
  if (file->shown == NULL &&
      (!file->looked || has_changed (&file->seen, now)))
    return false;
  if (file->content != SHOWN_PLAIN)
    now->st_size = (off_t) file->source_bytes;
  return true;
}

int
mounted_attributes (struct mounted *file, struct stat *now)
{
  bool known;
  int result;

  pthread_rwlock_rdlock (&file->lock);
  result = fstat (file->path_fd, now) < 0 ? errno : 0;
  known = result == 0 && show (file, now);
  pthread_rwlock_unlock (&file->lock);
  if (result != 0 || known)
    return result;
  pthread_rwlock_wrlock (&file->lock);
  result = fstat (file->path_fd, now) < 0 ? errno : look (file, now);
  if (result == 0)
    show (file, now);
  pthread_rwlock_unlock (&file->lock);
  return result;
}

/* Open the file itself, for as much as can be had. */
static int
open_descriptor (struct mounted *file)
{
  char path[NODE_PATH_BYTES];

  descriptor_path (file->path_fd, path);
  file->fd = open (path, O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (file->fd < 0 && (errno == EROFS || errno == EPERM || errno == ETXTBSY))
    file->fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  return file->fd < 0 ? errno : 0;
}

/* Whether another file lacks what this one has, whatever it is shown as to who
 * has it open.  Returns 0, or an errno.
 */
static int
look_for_half (const struct mounted *file, const struct stat *now, bool *half)
{
  struct error err = { 0 };
  uint64_t source_bytes;
  enum shown content;

  *half = file->half;
  if ((!file->looked || has_changed (&file->seen, now)) &&
      shown_look (file->path_fd, &content, &source_bytes, half, &err) < 0)
    return mounting_say_error (file->mounting, &err);
  if (!*half &&
      shown_look_for_aside (file->mounting->root_fd, file->path_fd, half,
                            &err) < 0)
    return mounting_say_error (file->mounting, &err);
  return 0;
}

int
mounted_check_half (struct mounted *file)
{
  struct error err = { 0 };
  char name[PATH_MAX];
  struct stat now;
  bool half;
  int result;

  /* What this mount writes is no half of anything. */
  if (file->writing != NULL)
    return 0;
  result = fstat (file->path_fd, &now) < 0 ? errno
    : look_for_half (file, &now, &half);
  if (result != 0 || !half)
    return result;
  error_about (&err, ERROR_FAILED, EPERM,
               descriptor_name (file->path_fd, name, sizeof name),
               "has what another file lacks, and is not changed");
  error_hint (&err, "finish that in the store, with iopress save --resume or "
              "iopress expand");
  return mounting_say_error (file->mounting, &err);
}

int
mounted_start_anew (struct mounted *file)
{
  struct windows *windows = file->mounting->windows;
  char name[PATH_MAX];
  int result = mounted_check_half (file);

  if (result != 0)
    return result;
  atomic_store (&file->disturbed, true);
  writing_free (file->writing);
  file->writing = NULL;
  result = truncate_to (file->fd, 0);
  /* It is still the image that others read. */
  if (result != 0 && file->shown != NULL)
    return result;
  shown_close (file->mounting, file->shown);
  file->shown = NULL;
  file->looked = false;
  file->failed = result;
  /* Until it is known to be something else. */
  file->content = SHOWN_UNFINISHED;
  if (result != 0)
    return result;
  return writing_new (windows, file->fd,
                      descriptor_name (file->path_fd, name, sizeof name),
                      &file->writing);
}

int
mounted_take_up (struct mounted *file)
{
  int result = writing_take_up (file->mounting->windows, file->fd,
                                file->shown->image, &file->writing);

  if (result != 0)
    return result;
  atomic_store (&file->disturbed, true);
  shown_close (file->mounting, file->shown);
  file->shown = NULL;
  return 0;
}

static int
open_shown (struct mounted *file)
{
  struct error err = { 0 };

  return shown_open (file->mounting, file->path_fd, &file->shown, &err) == 0
    ? 0 : mounting_say_error (file->mounting, &err);
}

/* Get ready for one more that has it open. */
static int
open_content (struct mounted *file, int flags)
{
  struct stat now;
  int result = file->fd < 0 ? open_descriptor (file) : 0;

  if (result != 0)
    return result;
  if ((flags & O_TRUNC) != 0)
    return mounted_start_anew (file);
  if (file->writing != NULL)
    return is_for_writing (flags) ? writing_finish (file->writing) : 0;
  if (file->failed != 0) {
    file->content = SHOWN_UNFINISHED;
    return is_for_writing (flags) ? file->failed : 0;
  }
  if (fstat (file->path_fd, &now) < 0)
    return errno;
  if (now.st_size == 0 && is_for_writing (flags))
    return mounted_start_anew (file);
  result = file->shown != NULL ? 0 : look (file, &now);
  if (result == 0 && is_for_writing (flags))
    result = mounted_check_half (file);
  if (result != 0 || file->content == SHOWN_PLAIN || file->shown != NULL)
    return result;
  result = open_shown (file);
  /* It can be opened, to be emptied, say, but not read; why has been said. */
  return file->content == SHOWN_UNFINISHED ? 0 : result;
}

int
mounted_open_locked (struct mounted *file, int flags)
{
  int result = open_content (file, flags);

  if (result == 0) {
    file->opens++;
    file->writers += is_for_writing (flags);
  }
  else if (file->opens == 0)
    close_content (file);
  return result;
}

int
mounted_open (struct mounted *file, int flags)
{
  int result;

  pthread_rwlock_wrlock (&file->lock);
  result = mounted_open_locked (file, flags);
  pthread_rwlock_unlock (&file->lock);
  return result;
}

void
mounted_release_locked (struct mounted *file, int flags)
{
  file->opens--;
  file->writers -= is_for_writing (flags);
  if (file->opens == 0)
    close_content (file);
  else if (is_for_writing (flags) && file->writers == 0)
    end_writing (file);
}

void
mounted_release (struct mounted *file, int flags)
{
  pthread_rwlock_wrlock (&file->lock);
  mounted_release_locked (file, flags);
  pthread_rwlock_unlock (&file->lock);
}

bool
mounted_was_written (struct mounted *file)
{
  bool result;

  pthread_rwlock_wrlock (&file->lock);
  result = file->was_written && file->opens == 0;
  if (result)
    file->was_written = false;
  pthread_rwlock_unlock (&file->lock);
  return result;
}
