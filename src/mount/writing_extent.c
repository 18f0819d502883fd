/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Size, holes and attributes of a file that is being written. */

#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "mount/writing_private.h"
#include "util/clock.h"
#include "util/size.h"

/* Under the lock: the first window from NUMBER on that may hold something, or
 * UINT64_MAX.
 */
static uint64_t
next_window (const struct writing *writing, uint64_t number)
{
  const struct windows *windows = writing->windows;
  uint64_t next = UINT64_MAX;
  struct index_entry entry;
  unsigned int i;

  if (record_table_next (&writing->records, number, &entry))
    next = entry.window;
  for (i = 0; i < windows->count; i++)
    if (windows->held[i].owner == writing &&
        windows->held[i].window.number >= number)
      next = minimum_u64 (next, windows->held[i].window.number);
  return next;
}

/* Under the lock: what is there of the range, behind the prefix, becomes zeros.
 */
static int
clear_windows (struct writing *writing, uint64_t offset, uint64_t end)
{
  uint32_t chunk_bytes = writing->windows->chunk_bytes;
  int result = 0;

  while (offset < end && result == 0) {
    uint64_t number = next_window (writing, offset / chunk_bytes);
    uint64_t stop;

    if (number >= divide_up (end, chunk_bytes))
      break;
    offset = maximum_u64 (offset, number * chunk_bytes);
    stop = minimum_u64 (end, (number + 1) * chunk_bytes);
    result = writing_change_window (writing, offset, NULL,
                                    (size_t) (stop - offset));
    offset = stop;
  }
  return result;
}

/* Under the lock. */
static int
clear_prefix (struct writing *writing, uint64_t offset, uint64_t end)
{
  static const uint8_t zeros[PAGE_BYTES];
  int result = 0;

  pthread_mutex_unlock (&writing->windows->lock);
  while (offset < end && result == 0) {
    size_t part = (size_t) minimum_u64 (sizeof zeros, end - offset);

    result = writing_write_prefix (writing, offset, zeros, part);
    offset += part;
  }
  pthread_mutex_lock (&writing->windows->lock);
  return result != 0 ? writing_fail (writing, result) : 0;
}

int
writing_zero (struct writing *writing, uint64_t offset, uint64_t length)
{
  pthread_mutex_t *lock = &writing->windows->lock;
  uint64_t end;
  int result = 0;

  if (!add_u64 (offset, length, &end))
    return EFBIG;
  pthread_mutex_lock (lock);
  end = minimum_u64 (end, writing->size);
  if (offset < end)
    result = writing_enter (writing, offset, end - offset, NULL);
  if (offset < end && result == 0) {
    uint64_t prefix = writing->header.prefix_bytes;

    result = clear_prefix (writing, offset, minimum_u64 (end, prefix));
    if (result == 0)
      result = clear_windows (writing, maximum_u64 (offset, prefix), end);
    writing_leave (writing);
  }
  pthread_mutex_unlock (lock);
  return result;
}

/* Alone, under the lock, with no changed window in memory: what lies behind
 * SIZE goes.
 */
static int
cut (struct writing *writing, uint64_t size)
{
  uint32_t chunk_bytes = writing->windows->chunk_bytes;
  uint64_t first = divide_up (size, chunk_bytes);
  struct index_entry entry;

  windows_drop (writing->windows, writing, first, UINT64_MAX);
  while (record_table_next (&writing->records, first, &entry))
    record_table_remove (&writing->records, entry.window);
  writing->size = size;
  if (size >= writing->header.prefix_bytes)
    return clear_windows (writing, size, first * chunk_bytes);
  /* The window that the prefix ends in has nothing behind SIZE either. */
  windows_drop (writing->windows, writing, 0, UINT64_MAX);
  record_table_clear (&writing->records);
  if (size < LIBVIRT_MAGIC_BYTES)
    memset (writing->magic + size, 0, LIBVIRT_MAGIC_BYTES - size);
  writing->headed = false;
  writing->whole = (struct image_end) { 0 };
  writing->end = writing->reserved = records_start (&writing->header);
  return truncate_to (writing->fd, size);
}

/* Alone, under the lock. */
static int
set_size (struct writing *writing, uint64_t size)
{
  struct windows *windows = writing->windows;
  int result = 0;

  if (writing->finished && writing->headed) {
    pthread_mutex_unlock (&windows->lock);
    result = writing_open_up (writing);
    pthread_mutex_lock (&windows->lock);
  }
  writing->finished = false;
  if (result == 0 && size < writing->size && writing->placed) {
    /* A record has no page behind the end: none may be on its way. */
    windows_flush (windows, writing);
    result = writing->error != 0 ? writing->error : cut (writing, size);
  }
  if (result != 0)
    return writing_fail (writing, result);
  writing->size = size;
  clock_gettime (CLOCK_REALTIME, &writing->modified);
  return 0;
}

int
writing_truncate (struct writing *writing, uint64_t size)
{
  pthread_mutex_t *lock = &writing->windows->lock;
  int result;

  if (size > INT64_MAX)
    return EFBIG;
  pthread_mutex_lock (lock);
  writing_begin_alone (writing);
  result = writing->error;
  if (result == 0 && size != writing->size)
    result = set_size (writing, size);
  writing_end_alone (writing);
  pthread_mutex_unlock (lock);
  return result;
}

static uint64_t
next_data (const struct writing *writing, uint64_t offset)
{
  uint32_t chunk_bytes = writing->windows->chunk_bytes;
  uint64_t next = next_window (writing, offset / chunk_bytes);

  if (offset < writing->header.prefix_bytes)
    return offset;
  if (next >= divide_up (writing->size, chunk_bytes))
    return writing->size;
  return maximum_u64 (offset, next * chunk_bytes);
}

static uint64_t
next_hole (const struct writing *writing, uint64_t offset)
{
  uint32_t chunk_bytes = writing->windows->chunk_bytes;

  offset = maximum_u64 (offset, writing->header.prefix_bytes);
  while (next_window (writing, offset / chunk_bytes) == offset / chunk_bytes)
    offset = (offset / chunk_bytes + 1) * chunk_bytes;
  return minimum_u64 (offset, writing->size);
}

int
writing_seek (struct writing *writing, uint64_t offset, int whence,
              uint64_t *found)
{
  pthread_mutex_t *lock = &writing->windows->lock;
  int result = 0;

  pthread_mutex_lock (lock);
  if (offset >= writing->size)
    result = ENXIO;
  else {
    *found = whence == SEEK_DATA ? next_data (writing, offset)
      : next_hole (writing, offset);
    if (whence == SEEK_DATA && *found >= writing->size)
      result = ENXIO;
  }
  pthread_mutex_unlock (lock);
  return result;
}

void
writing_attributes (struct writing *writing, struct stat *attributes)
{
  pthread_mutex_t *lock = &writing->windows->lock;

  pthread_mutex_lock (lock);
  attributes->st_size = (off_t) writing->size;
  attributes->st_mtim = writing->modified;
  pthread_mutex_unlock (lock);
}

void
writing_set_time (struct writing *writing, const struct timespec *time)
{
  pthread_mutex_t *lock = &writing->windows->lock;

  pthread_mutex_lock (lock);
  writing->modified = *time;
  pthread_mutex_unlock (lock);
}

bool
writing_describe (struct writing *writing, char *line, size_t size)
{
  char before[SIZE_TEXT_BYTES], after[SIZE_TEXT_BYTES];
  pthread_mutex_t *lock = &writing->windows->lock;
  uint64_t records;

  pthread_mutex_lock (lock);
  records = writing->records_packed + writing->records_stored;
  snprintf (line, size, "%s: %s in %s, %llu of %llu records packed at once, "
            "%llu again, %.1f s", writing->name,
            size_format (writing->size, before),
            size_format (writing->end, after),
            (unsigned long long) writing->records_packed,
            (unsigned long long) records,
            (unsigned long long) writing->records_again,
            (double) (clock_nanoseconds (CLOCK_MONOTONIC) -
                      writing->started_ns) * 1e-9);
  pthread_mutex_unlock (lock);
  return records > 0;
}
