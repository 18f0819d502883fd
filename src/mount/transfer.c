/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and writing at an offset, as a file system answers. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "mount/transfer.h"

int
write_fully (int fd, uint64_t offset, const void *buffer, size_t length)
{
  const uint8_t *from = buffer;

  while (length > 0) {
    ssize_t count = pwrite (fd, from, length, (off_t) offset);

    if (count < 0 && errno != EINTR)
      return errno;
    /* The kernel has no other reason for nothing at all. */
    if (count == 0)
      return ENOSPC;
    if (count > 0) {
      from += count;
      offset += (uint64_t) count;
      length -= (size_t) count;
    }
  }
  return 0;
}

int
read_up_to (int fd, uint64_t offset, void *buffer, size_t length,
            size_t *count)
{
  uint8_t *to = buffer;

  *count = 0;
  while (*count < length) {
    ssize_t got = pread (fd, to + *count, length - *count,
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

int
read_fully (int fd, uint64_t offset, void *buffer, size_t length)
{
  size_t count;
  int result = read_up_to (fd, offset, buffer, length, &count);

  if (result == 0)
    memset ((uint8_t *) buffer + count, 0, length - count);
  return result;
}

int
truncate_to (int fd, uint64_t size)
{
  return TEMP_FAILURE_RETRY (ftruncate (fd, (off_t) size)) < 0 ? errno : 0;
}

int
sync_data (int fd)
{
  return TEMP_FAILURE_RETRY (fdatasync (fd)) < 0 ? errno : 0;
}

int
sync_all (int fd)
{
  return TEMP_FAILURE_RETRY (fsync (fd)) < 0 ? errno : 0;
}

int
allocate_range (int fd, int mode, uint64_t offset, uint64_t length)
{
  return TEMP_FAILURE_RETRY (fallocate (fd, mode, (off_t) offset,
                                        (off_t) length)) < 0 ? errno : 0;
}
