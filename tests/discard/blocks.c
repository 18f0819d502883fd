/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded: a file system that frees blocks of IOPRESS_BLOCK_BYTES, zeroing what
 * a punch has not all of; or, when that is 0, none that can punch holes.
 */

#undef _FORTIFY_SOURCE
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/preload.h"

static uint64_t
block_bytes (void)
{
  const char *text = getenv ("IOPRESS_BLOCK_BYTES");

  return text != NULL ? strtoull (text, NULL, 10) : 4096;
}

/* Write zeros, as data, but not behind the end. */
static int
write_zeros (int fd, uint64_t start, uint64_t end)
{
  static const char zeros[4096];
  char path[PRELOAD_PATH_BYTES];
  struct stat st;
  int file;

  path_of (fd, path);
  file = open (path, O_WRONLY | O_CLOEXEC);
  if (file < 0 || fstat (file, &st) < 0)
    abort ();
  if (end > (uint64_t) st.st_size)
    end = (uint64_t) st.st_size;
  while (start < end) {
    size_t part = end - start < sizeof zeros ? (size_t) (end - start)
      : sizeof zeros;

    if (REAL (pwrite) (file, zeros, part, (off_t) start) != (ssize_t) part)
      abort ();
    start += part;
  }
  return close (file);
}

int
fallocate (int fd, int mode, off_t offset, off_t length)
{
  uint64_t block = block_bytes ();
  uint64_t start = (uint64_t) offset, end = start + (uint64_t) length;
  uint64_t first, last;

  if ((mode & FALLOC_FL_PUNCH_HOLE) == 0)
    return REAL (fallocate) (fd, mode, offset, length);
  if (block == 0) {
    errno = EOPNOTSUPP;
    return -1;
  }
  first = (start + block - 1) / block * block;
  last = end / block * block;
  if (first >= last)
    return write_zeros (fd, start, end);
  write_zeros (fd, start, first);
  write_zeros (fd, last, end);
  return REAL (fallocate) (fd, mode, (off_t) first, (off_t) (last - first));
}

int
replaced_open (int folder_fd, const char *name, const char *path, int flags,
               mode_t mode)
{
  (void) path;
  return REAL (openat) (folder_fd, name, flags, mode);
}

int
replaced_ioctl (int fd, unsigned long request, void *argument)
{
  return REAL (ioctl) (fd, request, argument);
}
