/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into iopress: lseek with SEEK_DATA that calls data a hole, as ZFS
 * and servers of ZFS have done with what was written a moment before.
 * IOPRESS_FALSE_HOLE=START:END names the bytes.  With IOPRESS_FALSE_TYPE every
 * file is on a file system of that type.
 */

#undef _FORTIFY_SOURCE
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

static off_t
seek (int fd, off_t offset, int whence)
{
  return (off_t) syscall (SYS_lseek, fd, offset, whence);
}

off_t
lseek64 (int fd, off_t offset, int whence)
{
  const char *text = getenv ("IOPRESS_FALSE_HOLE");
  off_t found = seek (fd, offset, whence);
  long long start, end;

  if (whence != SEEK_DATA || found < 0 || text == NULL)
    return found;
  if (sscanf (text, "%lld:%lld", &start, &end) != 2)
    abort ();
  return found >= start && found < end ? seek (fd, end, SEEK_DATA) : found;
}

off_t
lseek (int fd, off_t offset, int whence)
{
  return lseek64 (fd, offset, whence);
}

int
fstatfs64 (int fd, struct statfs64 *fs)
{
  const char *text = getenv ("IOPRESS_FALSE_TYPE");
  int result = (int) syscall (SYS_fstatfs, fd, fs);

  if (result == 0 && text != NULL)
    fs->f_type = strtol (text, NULL, 0);
  return result;
}

int
fstatfs (int fd, struct statfs *fs)
{
  return fstatfs64 (fd, (struct statfs64 *) fs);
}
