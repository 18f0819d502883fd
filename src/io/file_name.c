/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of files, which anybody may change meanwhile. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

static bool
same_inode (const struct stat *a, const struct stat *b)
{
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool
file_same (const struct file *a, const struct file *b)
{
  struct stat first, second;

  return fstat (a->fd, &first) == 0 && fstat (b->fd, &second) == 0 &&
    same_inode (&first, &second);
}

bool
file_has_name (const struct file *file, const char *path)
{
  struct stat opened, named;

  return fstat (file->fd, &opened) == 0 && stat (path, &named) == 0 &&
    same_inode (&opened, &named);
}

int
file_check_name (const struct file *file, const char *path, struct error *err)
{
  if (file_has_name (file, path))
    return 0;
  error_set (err, ERROR_FAILED, 0,
             "was removed or replaced while it was written");
  return error_subject (err, path);
}

int
file_check_linked (const struct file *file, struct error *err)
{
  struct stat st;

  if (fstat (file->fd, &st) == 0 && st.st_nlink > 0)
    return 0;
  error_set (err, ERROR_FAILED, 0, "was removed while it was written");
  return error_subject (err, file->name);
}

/* Whether both are names of one regular file. */
static bool
are_links (const char *one, const char *other)
{
  struct stat first, second;

  return lstat (one, &first) == 0 && lstat (other, &second) == 0 &&
    S_ISREG (first.st_mode) && first.st_nlink > 1 &&
    same_inode (&first, &second);
}

/* The second step of rename_by_link.  Who looks at both names meanwhile may
 * have done that already.
 */
static int
drop_first_name (const char *from, const char *path)
{
  int saved;

  if (unlink (from) == 0 || errno == ENOENT)
    return 0;
  saved = errno;
  unlink (path);
  errno = saved;
  return -1;
}

/* rename where PATH does not exist, on a file system that cannot look at that
 * itself.  A second name is given only to what is not there; some cannot even
 * do that.
 */
static int
rename_by_link (const char *from, const char *path)
{
  struct stat st;

  /* Over a network it may have been done, and the answer lost. */
  if (link (from, path) == 0 || (errno == EEXIST && are_links (from, path)))
    return drop_first_name (from, path);
  if (errno == EEXIST || errno == ENOENT)
    return -1;
  if (lstat (path, &st) == 0) {
    errno = EEXIST;
    return -1;
  }
  return errno == ENOENT ? rename (from, path) : -1;
}

int
file_finish_naming (const char *from, const char *path, struct error *err)
{
  if (!are_links (from, path))
    return 0;
  if (unlink (from) == 0 || errno == ENOENT)
    return 1;
  error_set (err, ERROR_FAILED, errno, "cannot be removed");
  return error_subject (err, from);
}

int
file_name_new (const char *from, const char *path, struct error *err)
{
  int result = renameat2 (AT_FDCWD, from, AT_FDCWD, path, RENAME_NOREPLACE);

  if (result < 0 && (errno == EINVAL || errno == ENOSYS))
    result = rename_by_link (from, path);
  if (result == 0)
    return 0;
  error_set (err, ERROR_FAILED, errno, "cannot be created");
  return error_subject (err, path);
}
