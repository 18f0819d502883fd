/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read(2) and write(2) that neither signals nor short counts end. */

#include <config.h>

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "io/descriptor.h"

ssize_t
descriptor_read (int fd, void *buffer, size_t length)
{
  ssize_t count;

  do
    count = read (fd, buffer, length);
  while (count < 0 && errno == EINTR);
  return count;
}

ssize_t
descriptor_read_whole (int fd, void *buffer, size_t length)
{
  uint8_t *bytes = buffer;
  size_t done = 0;

  while (done < length) {
    ssize_t count = descriptor_read (fd, bytes + done, length - done);

    if (count < 0)
      return -1;
    if (count == 0)
      break;
    done += (size_t) count;
  }
  return (ssize_t) done;
}

int
descriptor_write_whole (int fd, const void *buffer, size_t length)
{
  const uint8_t *bytes = buffer;

  while (length > 0) {
    ssize_t count = write (fd, bytes, length);

    if (count < 0 && errno != EINTR)
      return -1;
    if (count > 0) {
      bytes += count;
      length -= (size_t) count;
    }
  }
  return 0;
}
