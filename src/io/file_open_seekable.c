/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening what must be seekable, and waiting for nothing else. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "io/file_private.h"
#include "util/cleanup.h"

/* Without /proc the name is opened so that it cannot wait. */
static int
open_node (int node, const char *name, int flags)
{
  char link[64];
  int fd;

  snprintf (link, sizeof link, "/proc/self/fd/%d", node);
  flags |= O_CLOEXEC | O_NOCTTY;
  fd = open (link, flags);
  if (fd >= 0 || errno != ENOENT)
    return fd;
  fd = open (name, flags | O_NOFOLLOW | O_NONBLOCK);
  if (fd >= 0)
    fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) & ~O_NONBLOCK);
  return fd;
}

int
file_open_node (int node, const char *name, enum file_access access,
                struct file_how how, struct file *file, struct error *err)
{
  return file_take_opened (open_node (node, name, file_open_flags (access)),
                           name, how, file, err);
}

static int
open_path_if_seekable (const char *name, bool follow, enum file_access access,
                       struct file_how how, struct file *file,
                       struct error *err)
{
  CLEANUP_CLOSE int node = open (name, O_PATH | O_CLOEXEC |
                                      (follow ? 0 : O_NOFOLLOW));
  struct stat st;

  file_set_name (file, name);
  if (node < 0 || fstat (node, &st) < 0)
    return file_fail_open (file, err, "cannot be opened");
  if ((S_ISREG (st.st_mode) || S_ISBLK (st.st_mode)) &&
      file_open_node (node, name, access, how, file, err) < 0)
    return -1;
  return (int) (st.st_mode & S_IFMT);
}

int
file_open_if_seekable (const char *name, bool follow, enum file_access access,
                       struct file_how how, struct file *file,
                       struct error *err)
{
  struct stat st;

  if (file_descriptor_of (name) < 0 && strcmp (name, "-") != 0)
    return open_path_if_seekable (name, follow, access, how, file, err);
  if (file_open (name, access, how, file, err) < 0)
    return -1;
  return fstat (file->fd, &st) < 0
    ? file_fail (file, err, "cannot be examined")
    : (int) (st.st_mode & S_IFMT);
}

int
file_open_seekable (const char *name, const char *must_be,
                    enum file_access access, struct file_how how,
                    struct file *file, struct error *err)
{
  int type = file_open_if_seekable (name, true, access, how, file, err);

  if (type < 0 || type == S_IFREG || type == S_IFBLK)
    return type < 0 ? -1 : 0;
  errno = EISDIR;
  return type == S_IFDIR ? file_fail_open (file, err, "cannot be used")
    : error_about (err, ERROR_USAGE, 0, file->name, "is not seekable, as %s",
                   must_be);
}
