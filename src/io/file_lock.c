/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who else has a file: locks, writers, what they wrote. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file_private.h"
#include "util/cleanup.h"

int
file_check_lease (int fd, const char *name, struct error *err)
{
  /* A read lease is given only while nobody has the file open for writing.  A
   * writer with a lease is asked for it, which nobody waits for here.
   */
  if (fd >= 0 ? fcntl (fd, F_SETLEASE, F_RDLCK) == 0 || errno != EAGAIN
      : errno != EAGAIN)
    return 0;
  return error_about (err, ERROR_FAILED, EBUSY, name,
                      "another process has it open for writing");
}

int
file_check_writers (const char *path, struct error *err)
{
  CLEANUP_CLOSE int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
                               O_NONBLOCK);

  return file_check_lease (fd, path, err);
}

int
file_note_state (const struct file *file, struct file_state *state,
                 struct error *err)
{
  struct stat st;

  if (fstat (file->fd, &st) < 0)
    return file_fail (file, err, "cannot be examined");
  *state = (struct file_state) {
    .bytes = st.st_size,
    .modified = st.st_mtim,
  };
  return 0;
}

int
file_refuse_changed (const struct file *file, struct error *err)
{
  error_about (err, ERROR_FAILED, 0, file->name,
               "was changed while it was packed");
  return error_hint (err, "it is as it was left: try again");
}

int
file_check_state (const struct file *file, const struct file_state *state,
                  struct error *err)
{
  struct file_state now;

  if (file_note_state (file, &now, err) < 0)
    return -1;
  if (now.bytes == state->bytes &&
      now.modified.tv_sec == state->modified.tv_sec &&
      now.modified.tv_nsec == state->modified.tv_nsec)
    return 0;
  return file_refuse_changed (file, err);
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
  return error_about (err, ERROR_FAILED, 0, file->name,
                      "another iopress is using it");
}
