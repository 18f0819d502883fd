/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who else has a file: locks, writers, other names of the same file. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"
#include "util/cleanup.h"

int
file_check_writers (const char *path, struct error *err)
{
  CLEANUP_CLOSE int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
                               O_NONBLOCK);

  /* A read lease is given only while nobody has the file open for writing. */
  if (fd < 0 || fcntl (fd, F_SETLEASE, F_RDLCK) == 0 || errno != EAGAIN)
    return 0;
  error_set (err, ERROR_FAILED, EBUSY, "another process has it open for "
             "writing");
  return error_subject (err, path);
}

bool
file_same (const struct file *a, const struct file *b)
{
  struct stat first, second;

  return fstat (a->fd, &first) == 0 && fstat (b->fd, &second) == 0 &&
    first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

int
file_lock (const struct file *file, bool alone, struct error *err)
{
  struct flock lock = {
    .l_type = alone ? F_WRLCK : F_RDLCK,
    .l_whence = SEEK_SET,
  };

  /* On the caller's own descriptor the lock would outlive us. */
  if (!file->owned || fcntl (file->fd, F_OFD_SETLK, &lock) == 0 ||
      (errno != EAGAIN && errno != EACCES))
    return 0;
  error_set (err, ERROR_FAILED, 0, "another iopress is using it");
  return error_subject (err, file->name);
}
