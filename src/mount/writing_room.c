/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Room on the disk for a file that is being written, before it is needed. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>

#include "mount/writing_private.h"

/* How much room to get at a time. */
#define ROOM_STEP (UINT64_C (64) << 20)

/* The most that a window can take in the file, whole pages. */
static uint64_t
record_unit (const struct writing *writing)
{
  return align_up (record_bytes_max (writing->windows->chunk_bytes),
                   PAGE_BYTES);
}

/* Under the lock: up to where the file system must have room, so that nothing
 * that was promised can fail for want of it.
 */
static uint64_t
needed (const struct writing *writing)
{
  return writing->end + writing->promised * record_unit (writing) +
    INDEX_HEADER_BYTES + FOOTER_BYTES +
    (writing->records.count + writing->promised) * INDEX_ENTRY_BYTES;
}

/* Where room cannot be had ahead. */
static int
look_for_room (int fd, uint64_t bytes)
{
  struct statvfs now;

  if (fstatvfs (fd, &now) < 0)
    return errno;
  return bytes / now.f_frsize >= now.f_bavail ? ENOSPC : 0;
}

/* Not under the lock: get room from offset START to END. */
static int
get_room (int fd, uint64_t start, uint64_t end)
{
  int result = allocate_range (fd, FALLOC_FL_KEEP_SIZE, start, end - start);

  if (result != EOPNOTSUPP && result != ENOSYS)
    return result;
  return look_for_room (fd, end - start);
}

int
writing_promise (struct writing *writing, uint64_t window)
{
  pthread_mutex_t *lock = &writing->windows->lock;
  int result = record_table_prepare (&writing->records, window);

  if (result != 0)
    return writing_fail (writing, result);
  writing->promised++;
  while (result == 0 && needed (writing) > writing->reserved) {
    uint64_t start = writing->reserved, end = needed (writing);

    pthread_mutex_unlock (lock);
    /* The end of what is there may be less than a step away. */
    result = get_room (writing->fd, start, end + ROOM_STEP);
    if (result == 0)
      end += ROOM_STEP;
    else
      result = get_room (writing->fd, start, end);
    pthread_mutex_lock (lock);
    if (result == 0)
      writing->reserved = maximum_u64 (writing->reserved, end);
  }
  if (result == 0)
    return 0;
  writing->promised--;
  return writing_fail (writing, result);
}
