/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files as the command line names them: a path, fd:N, or "-". */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"
#include "util/bytes.h"
#include "util/cleanup.h"

/* Unaligned reads of an O_DIRECT file go through a buffer of this size. */
#define BOUNCE_BYTES (256u << 10)

/* Buffered writing keeps this much dirty before it waits for the disk. */
#define DIRTY_BYTES (8u << 20)

bool
file_again (const struct file *file)
{
  return errno == EINTR && (file->cancelled == NULL || *file->cancelled == 0);
}

static int
fail (const struct file *file, struct error *err, const char *what)
{
  error_set (err, ERROR_FAILED, errno, "%s", what);
  return error_subject (err, file->name);
}

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

/* Find out what kind of file it is and how large. */
static int
inspect (struct file *file, struct error *err)
{
  struct stat st;
  uint64_t bytes;

  if (fstat (file->fd, &st) < 0)
    return fail (file, err, "cannot be examined");
  if (S_ISDIR (st.st_mode)) {
    errno = EISDIR;
    return fail (file, err, "cannot be used");
  }
  file->regular = S_ISREG (st.st_mode);
  file->stream = !file->regular && !S_ISBLK (st.st_mode);
  if (file->regular)
    file->size = (uint64_t) st.st_size;
  else if (S_ISBLK (st.st_mode)) {
    if (ioctl (file->fd, BLKGETSIZE64, &bytes) < 0)
      return fail (file, err, "cannot get the size of the device");
    file->size = bytes;
  }
  return 0;
}

/* Refuse a missing O_DIRECT when it was asked for. */
static int
check_direct (struct file *file, enum direct_io direct, struct error *err)
{
  file->wanted = direct;
  if (direct != DIRECT_IO_ON || file->direct || file->stream)
    return 0;
  errno = EINVAL;
  fail (file, err, "direct I/O is not possible here");
  return error_hint (err, "use --direct-io auto");
}

static int
open_flags (enum file_access access)
{
  static const int flags[] = {
    [FILE_READ] = O_RDONLY,
    [FILE_WRITE] = O_WRONLY,
    [FILE_UPDATE] = O_RDWR,
  };

  return flags[access];
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

/* Open the file behind FD once more, so that O_DIRECT and access can differ
 * from the caller's without the caller noticing.  Where /proc or the
 * permissions do not give one, the descriptor itself has to do.
 */
static void
open_again (int fd, int flags, enum direct_io direct, struct file *file)
{
  char link[64];

  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  flags |= O_CLOEXEC;
  if (direct != DIRECT_IO_OFF)
    flags |= O_DIRECT;
  fd = open (link, flags);
  if (fd < 0)
    return;
  file->fd = fd;
  file->owned = true;
  file->direct = direct != DIRECT_IO_OFF;
}

static int
wrong_access (struct file *file, enum file_access access, struct error *err)
{
  static const char *const names[] = {
    [FILE_READ] = "reading",
    [FILE_WRITE] = "writing",
    [FILE_UPDATE] = "reading and writing",
  };

  error_set (err, ERROR_USAGE, 0, "is not open for %s", names[access]);
  return error_subject (err, file->name);
}

static int
take_descriptor (int fd, enum file_access access, enum direct_io direct,
                 struct file *file, struct error *err)
{
  int flags = fcntl (fd, F_GETFL);
  bool accessible, suitable;

  file->fd = fd;
  if (flags < 0)
    return fail (file, err, "is not an open descriptor");
  accessible = (flags & O_ACCMODE) == O_RDWR ||
    (flags & O_ACCMODE) == open_flags (access);
  if (!accessible && access != FILE_UPDATE)
    return wrong_access (file, access, err);
  file->direct = (flags & O_DIRECT) != 0;
  if (inspect (file, err) < 0)
    return -1;
  suitable = accessible && file->direct == (direct != DIRECT_IO_OFF);
  if (!file->stream && !suitable)
    open_again (fd, open_flags (access), direct, file);
  if (file->owned)
    probe_direct (file);
  if (!accessible && !file->owned)
    return wrong_access (file, access, err);
  if (access != FILE_READ && !file->stream && (flags & O_APPEND) != 0) {
    error_set (err, ERROR_USAGE, 0, "is open for appending");
    return error_subject (err, file->name);
  }
  return check_direct (file, direct, err);
}

/* open(2) with O_DIRECT where DIRECT and the file system allow. */
static int
open_path (const char *path, int flags, enum direct_io direct,
           struct file *file, struct error *err)
{
  flags |= O_CLOEXEC | O_NOCTTY;
  file->owned = true;
  if (direct != DIRECT_IO_OFF) {
    file->fd = open (path, flags | O_DIRECT, 0600);
    file->direct = file->fd >= 0;
  }
  if (file->fd < 0 && (direct == DIRECT_IO_OFF || errno == EINVAL))
    file->fd = open (path, flags, 0600);
  if (file->fd < 0)
    return fail (file, err, "cannot be opened");
  probe_direct (file);
  if (inspect (file, err) < 0)
    return -1;
  return check_direct (file, direct, err);
}

static void
set_name (struct file *file, const char *name)
{
  *file = (struct file) FILE_CLOSED;
  snprintf (file->name, sizeof file->name, "%s", name);
}

int
file_open (const char *name, enum file_access access, enum direct_io direct,
           struct file *file, struct error *err)
{
  int fd = file_descriptor_of (name);

  set_name (file, name);
  if (strcmp (name, "-") == 0) {
    set_name (file, "standard input");
    fd = STDIN_FILENO;
  }
  if (fd >= 0)
    return take_descriptor (fd, access, direct, file, err);
  return open_path (name, open_flags (access), direct, file, err);
}

int
file_take_descriptor (int fd, const char *name, enum file_access access,
                      enum direct_io direct, struct file *file,
                      struct error *err)
{
  set_name (file, name);
  return take_descriptor (fd, access, direct, file, err);
}

/* Somebody else's file must not become ours: it could be read by others, or
 * be a link to something else.
 */
static int
check_owned (struct file *file, struct error *err)
{
  struct stat st;

  if (fstat (file->fd, &st) < 0)
    return fail (file, err, "cannot be examined");
  if (!S_ISREG (st.st_mode) || st.st_uid != geteuid () || st.st_nlink != 1) {
    error_set (err, ERROR_FAILED, 0, "stands there and is not a file of ours");
    return error_subject (err, file->name);
  }
  if ((st.st_mode & 07777) != 0600 && fchmod (file->fd, 0600) < 0)
    return fail (file, err, "cannot be made private");
  return 0;
}

int
file_create (const char *path, enum direct_io direct, struct file *file,
             struct error *err)
{
  set_name (file, path);
  if (open_path (path, O_RDWR | O_CREAT | O_NOFOLLOW, direct, file, err) < 0)
    return -1;
  return check_owned (file, err);
}

int
file_close (struct file *file, struct error *err)
{
  int fd = file->fd;

  if (fd >= 0 && !file->direct)
    file_drop_cache (file, 0, 0);
  file->fd = -1;
  if (fd < 0 || !file->owned)
    return 0;
  if (close (fd) < 0)
    return fail (file, err, "cannot be closed");
  return 0;
}

int
file_drop_direct (struct file *file, struct error *err)
{
  int flags = fcntl (file->fd, F_GETFL);

  if (!file->direct || flags < 0 ||
      fcntl (file->fd, F_SETFL, flags & ~O_DIRECT) < 0)
    return fail (file, err, "cannot turn direct I/O off");
  file->direct = false;
  return 0;
}

/* pread until LENGTH bytes or the end of the file; -1 with errno. */
static ssize_t
read_fully (int fd, uint64_t offset, void *buffer, size_t length)
{
  size_t done = 0;

  while (done < length) {
    ssize_t count = pread (fd, (uint8_t *) buffer + done, length - done,
                           (off_t) (offset + done));

    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return -1;
    done += (size_t) count;
    if (count == 0 || (size_t) count % PAGE_BYTES != 0)
      break;
  }
  return (ssize_t) done;
}

static int
ends_early (const struct file *file, uint64_t offset, struct error *err)
{
  error_set (err, ERROR_BAD_INPUT, 0,
             "the file ends before byte %llu",
             (unsigned long long) offset);
  return error_subject (err, file->name);
}

/* Read through an aligned buffer. */
static int
read_bounced (const struct file *file, uint64_t offset, uint8_t *buffer,
              size_t length, struct error *err)
{
  CLEANUP_FREE void *bounce = NULL;

  errno = posix_memalign (&bounce, PAGE_BYTES, BOUNCE_BYTES);
  if (errno != 0)
    return fail (file, err, "cannot be read");
  while (length > 0) {
    uint64_t start = align_down (offset, PAGE_BYTES);
    size_t skip = (size_t) (offset - start);
    size_t want = (size_t) minimum_u64 (BOUNCE_BYTES, skip + length);
    ssize_t count = read_fully (file->fd, start, bounce,
                                (size_t) align_up (want, PAGE_BYTES));

    if (count < 0)
      return fail (file, err, "cannot be read");
    if ((size_t) count < want)
      return ends_early (file, offset + length, err);
    memcpy (buffer, (uint8_t *) bounce + skip, want - skip);
    buffer += want - skip;
    offset += want - skip;
    length -= want - skip;
  }
  return 0;
}

int
file_read_at (const struct file *file, uint64_t offset, void *buffer,
              size_t length, struct error *err)
{
  uint8_t *bytes = buffer;

  if (file->direct)
    return read_bounced (file, offset, bytes, length, err);
  while (length > 0) {
    ssize_t count = pread (file->fd, bytes, length, (off_t) offset);

    if (count < 0 && file_again (file))
      continue;
    if (count < 0)
      return fail (file, err, "cannot be read");
    if (count == 0)
      return ends_early (file, offset + length, err);
    bytes += count;
    offset += (uint64_t) count;
    length -= (size_t) count;
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
      return fail (file, err, "cannot be written");
    }
    bytes += count;
    offset += (uint64_t) count;
    length -= (size_t) count;
  }
  return 0;
}

uint64_t
file_next_data (const struct file *file, uint64_t offset)
{
  off_t data;

  if (offset >= file->size)
    return file->size;
  data = lseek (file->fd, (off_t) offset, SEEK_DATA);
  if (data >= 0)
    return minimum_u64 ((uint64_t) data, file->size);
  return errno == ENXIO ? file->size : offset;
}

int
file_truncate (struct file *file, uint64_t size, struct error *err)
{
  int result;

  do
    result = ftruncate (file->fd, (off_t) size);
  while (result < 0 && file_again (file));
  return result < 0 ? fail (file, err, "cannot set the size") : 0;
}

int
file_punch (struct file *file, uint64_t offset, uint64_t length,
            struct error *err)
{
  int result;

  do
    result = fallocate (file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        (off_t) offset, (off_t) length);
  while (result < 0 && file_again (file));
  return result < 0 ? fail (file, err, "cannot give blocks back") : 0;
}

int
file_check_writers (const char *path, struct error *err)
{
  CLEANUP_CLOSE int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

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

  if (fcntl (file->fd, F_OFD_SETLK, &lock) == 0 ||
      (errno != EAGAIN && errno != EACCES))
    return 0;
  error_set (err, ERROR_FAILED, 0, "another iopress is using it");
  return error_subject (err, file->name);
}

int
file_sync (struct file *file, struct error *err)
{
  int result;

  if (file->stream)
    return 0;
  do
    result = fdatasync (file->fd);
  while (result < 0 && file_again (file));
  return result < 0 ? fail (file, err, "cannot be flushed to disk") : 0;
}

int
file_sync_folder (const char *path, struct error *err)
{
  CLEANUP_FREE char *copy = strdup (path);
  CLEANUP_CLOSE int fd = -1;
  int result;

  if (copy != NULL)
    fd = open (dirname (copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    result = -1;
  else
    do
      result = fsync (fd);
    while (result < 0 && errno == EINTR);
  /* File systems without a durable folder say EINVAL; nothing is lost. */
  if (result < 0 && !(fd >= 0 && errno == EINVAL)) {
    error_set (err, ERROR_FAILED, errno, "cannot flush the folder to disk");
    return error_subject (err, path);
  }
  return 0;
}

void
file_write_behind (const struct file *file, uint64_t offset, uint64_t length)
{
  uint64_t old;

  if (file->direct || file->stream)
    return;
  sync_file_range (file->fd, (off_t) offset, (off_t) length,
                   SYNC_FILE_RANGE_WRITE);
  if (offset < DIRTY_BYTES)
    return;
  old = offset - DIRTY_BYTES;
  sync_file_range (file->fd, (off_t) old, (off_t) length,
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
