/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening files as the command line names them: a path, fd:N, or "-". */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "io/file_private.h"
#include "util/bytes.h"
#include "util/cleanup.h"

int
file_descriptor_of (const char *text)
{
  char *end;
  long value;

  if (strncmp (text, "fd:", 3) != 0 || text[3] < '0' || text[3] > '9')
    return -1;
  errno = 0;
  value = strtol (text + 3, &end, 10);
  if (errno != 0 || *end != '\0' || value > INT_MAX)
    return -1;
  return (int) value;
}

int
file_fail_open (struct file *file, struct error *err, const char *what)
{
  file->absent = errno == ENOENT || errno == ENOTDIR || errno == EISDIR ||
    errno == ELOOP || errno == ENAMETOOLONG || errno == EACCES ||
    errno == EPERM || errno == ENXIO;
  return file_fail (file, err, what);
}

/* Find out what kind of file it is and how large. */
static int
inspect (struct file *file, struct error *err)
{
  struct stat st;
  uint64_t bytes;

  if (fstat (file->fd, &st) < 0)
    return file_fail (file, err, "cannot be examined");
  if (S_ISDIR (st.st_mode)) {
    errno = EISDIR;
    return file_fail_open (file, err, "cannot be used");
  }
  file->regular = S_ISREG (st.st_mode);
  file->stream = !file->regular && !S_ISBLK (st.st_mode);
  if (file->regular)
    file->size = (uint64_t) st.st_size;
  else if (S_ISBLK (st.st_mode)) {
    if (ioctl (file->fd, BLKGETSIZE64, &bytes) < 0)
      return file_fail (file, err, "cannot get the size of the device");
    file->size = bytes;
  }
  return 0;
}

/* Refuse a missing O_DIRECT when it was asked for. */
static int
check_direct (struct file *file, struct file_how how, struct error *err)
{
  file->how = how;
  if (how.direct != DIRECT_IO_ON || file->direct || file->stream)
    return 0;
  errno = EINVAL;
  file_fail (file, err, "direct I/O is not possible here");
  return error_hint (err, "use --direct-io auto");
}

int
file_open_flags (enum file_access access)
{
  static const int flags[] = {
    [FILE_READ] = O_RDONLY,
    [FILE_WRITE] = O_WRONLY,
    [FILE_UPDATE] = O_RDWR,
  };

  return flags[access];
}

/* A signal that interrupts this, at a pipe that nobody opens, asks for the end
 * of the run: no other has a handler.
 */
static int
open_file (const char *path, int flags)
{
  return open (path, flags, 0600);
}

/* Some file systems take O_DIRECT at open and refuse it at the first read. */
static void
probe_direct (struct file *file)
{
  struct error ignored = { 0 };
  CLEANUP_FREE void *page = NULL;

  if (!file->direct || posix_memalign (&page, PAGE_BYTES, PAGE_BYTES) != 0)
    return;
  if (pread (file->fd, page, PAGE_BYTES, 0) < 0 && errno == EINVAL)
    file_drop_direct (file, &ignored);
}

/* Whether FD has no name and is of a FUSE server, which may give another file
 * in its place.
 */
static bool
may_be_another (int fd)
{
  struct stat st;
  struct statfs fs;

  return fstat (fd, &st) == 0 && st.st_nlink == 0 && fstatfs (fd, &fs) == 0 &&
    fs.f_type == FUSE_SUPER_MAGIC;
}

/* Open the file behind FD once more, so that O_DIRECT, access and locks are our
 * own and not the caller's.  Where /proc or the permissions do not give one,
 * the descriptor itself has to do.
 */
static void
open_again (int fd, int flags, struct file_how how, struct file *file)
{
  char link[64];

  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  flags |= O_CLOEXEC;
  fd = open_file (link, how.direct != DIRECT_IO_OFF ? flags | O_DIRECT : flags);
  file->direct = fd >= 0 ? how.direct != DIRECT_IO_OFF : file->direct;
  if (fd < 0 && errno == EINVAL && !file->direct)
    fd = open_file (link, flags);
  if (fd < 0)
    return;
  file->fd = fd;
  file->owned = true;
}

static int
wrong_access (struct file *file, enum file_access access, struct error *err)
{
  static const char *const names[] = {
    [FILE_READ] = "reading",
    [FILE_WRITE] = "writing",
    [FILE_UPDATE] = "reading and writing",
  };

  return error_about (err, ERROR_USAGE, 0, file->name, "is not open for %s",
                      names[access]);
}

static int
take_descriptor (int fd, enum file_access access, struct file_how how,
                 struct file *file, struct error *err)
{
  int flags = fcntl (fd, F_GETFL);
  bool accessible;

  file->fd = fd;
  if (flags < 0)
    return file_fail (file, err, "is not an open descriptor");
  accessible = (flags & O_ACCMODE) == O_RDWR ||
    (flags & O_ACCMODE) == file_open_flags (access);
  /* What QEMU writes through is write-only, and means the file to be used. */
  if (!accessible &&
      (access != FILE_UPDATE || (flags & O_ACCMODE) == O_RDONLY))
    return wrong_access (file, access, err);
  file->direct = (flags & O_DIRECT) != 0;
  if (inspect (file, err) < 0)
    return -1;
  if (!file->stream && !may_be_another (fd))
    open_again (fd, file_open_flags (access), how, file);
  if (file->owned)
    probe_direct (file);
  if (!accessible && !file->owned)
    return wrong_access (file, access, err);
  if (access != FILE_READ && !file->stream && (flags & O_APPEND) != 0)
    return error_about (err, ERROR_USAGE, 0, file->name,
                        "is open for appending");
  return check_direct (file, how, err);
}

/* Turn O_DIRECT on where the file system can.  Not at open: a pipe with a name
 * would have met its other end by the time it refused.
 */
static void
turn_direct_on (struct file *file)
{
  int flags = fcntl (file->fd, F_GETFL);

  if (file->stream || flags < 0 ||
      fcntl (file->fd, F_SETFL, flags | O_DIRECT) < 0)
    return;
  file->direct = true;
  probe_direct (file);
}

void
file_set_name (struct file *file, const char *name)
{
  *file = (struct file) FILE_CLOSED;
  snprintf (file->name, sizeof file->name, "%s", name);
}

int
file_take_opened (int fd, const char *name, struct file_how how,
                  struct file *file, struct error *err)
{
  int errnum = errno;

  file_set_name (file, name);
  file->owned = true;
  file->fd = fd;
  errno = errnum;
  if (fd < 0)
    return file_fail_open (file, err, "cannot be opened");
  if (inspect (file, err) < 0)
    return -1;
  if (how.direct != DIRECT_IO_OFF)
    turn_direct_on (file);
  return check_direct (file, how, err);
}

int
file_open (const char *name, enum file_access access, struct file_how how,
           struct file *file, struct error *err)
{
  int flags = file_open_flags (access) | O_CLOEXEC | O_NOCTTY;
  int fd = file_descriptor_of (name);

  file_set_name (file, name);
  if (strcmp (name, "-") == 0) {
    file_set_name (file, "standard input");
    fd = STDIN_FILENO;
  }
  if (fd >= 0)
    return take_descriptor (fd, access, how, file, err);
  return file_take_opened (open_file (name, flags), name, how, file, err);
}

int
file_take_descriptor (int fd, const char *name, enum file_access access,
                      struct file_how how, struct file *file,
                      struct error *err)
{
  file_set_name (file, name);
  return take_descriptor (fd, access, how, file, err);
}

/* A file that has its name for as short as can be.  Returns its descriptor, or
 * -1 with errno.
 */
static int
create_and_unlink (const char *folder)
{
  char path[4096];
  int length = snprintf (path, sizeof path, "%s/.iopress-XXXXXX", folder);
  int fd, errnum;

  if (length < 0 || (size_t) length >= sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  fd = mkostemp (path, O_CLOEXEC);
  if (fd < 0 || unlink (path) == 0)
    return fd;
  errnum = errno;
  close (fd);
  errno = errnum;
  return -1;
}

int
file_create_unnamed (const char *folder, struct file_how how,
                     struct file *file, struct error *err)
{
  char name[sizeof file->name];
  int fd;

  snprintf (name, sizeof name, "temporary file in %s", folder);
  /* O_EXCL: nobody can give it a name. */
  fd = open_file (folder, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC);
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
    fd = create_and_unlink (folder);
  return file_take_opened (fd, name, how, file, err);
}

/* Compare the page at OFFSET, or what there is of it. */
static int
compare_page (const struct file *file, const struct file *other,
              uint64_t offset, struct error *err)
{
  size_t length = (size_t) minimum_u64 (PAGE_BYTES, file->size - offset);
  uint8_t ours[PAGE_BYTES], theirs[PAGE_BYTES];

  if (file_read_at (file, offset, ours, length, err) < 0)
    return -1;
  if (file_read_at (other, offset, theirs, length, err) < 0 ||
      memcmp (ours, theirs, length) != 0) {
    *err = (struct error) { 0 };
    return error_about (err, ERROR_FAILED, 0, file->name,
                        "is not what it is when opened again");
  }
  return 0;
}

int
file_check_path (struct file *file, const char *path, struct error *err)
{
  struct file other = FILE_CLOSED;
  uint64_t last;
  int result;

  if (inspect (file, err) < 0)
    return -1;
  if (file_take_opened (open_file (path, O_RDONLY | O_CLOEXEC | O_NOCTTY),
                        file->name, FILE_HOW (DIRECT_IO_OFF), &other, err) < 0)
    return -1;
  last = file->size > PAGE_BYTES ? file->size - PAGE_BYTES : 0;
  result = compare_page (file, &other, 0, err);
  if (result == 0)
    result = compare_page (file, &other, last, err);
  if (result == 0)
    result = compare_page (file, &other,
                           minimum_u64 (file_next_data (file, 0), last), err);
  file_close (&other);
  return result;
}

int
file_open_reader (const struct file *file, struct error *err)
{
  char link[64];
  int fd;

  snprintf (link, sizeof link, "/proc/self/fd/%d", file->fd);
  fd = open_file (link, O_RDONLY | O_CLOEXEC);
  return fd < 0 ? file_fail (file, err, "cannot be opened for reading") : fd;
}
