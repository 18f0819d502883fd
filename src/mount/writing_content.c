/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The content of a file that is being written. */

#include <config.h>

#include <errno.h>

#include "mount/writing_private.h"

/* Copy into a window's pages.  Not under the lock. */
static void
fill_pages (struct held *held, size_t from, const uint8_t *buffer,
            size_t length)
{
  const uint8_t *present = held->window.map;
  uint8_t *pages = held->window.pages;
  size_t end = from + length;
  size_t first = from / PAGE_BYTES, last = (end - 1) / PAGE_BYTES;

  /* The rest of pages that are not there yet is zeros. */
  if (from % PAGE_BYTES != 0 && !bitmap_test (present, first))
    memset (pages + first * PAGE_BYTES, 0, PAGE_BYTES);
  if (end % PAGE_BYTES != 0 && !bitmap_test (present, last) &&
      (last != first || from % PAGE_BYTES == 0))
    memset (pages + last * PAGE_BYTES, 0, PAGE_BYTES);
  memcpy (pages + from, buffer, length);
}

/* Under the lock: a range of the window is zeros. */
static void
clear_pages (struct held *held, size_t from, size_t length)
{
  while (length > 0) {
    size_t page = from / PAGE_BYTES;
    size_t part = (size_t) minimum_u64 (length, PAGE_BYTES -
                                        from % PAGE_BYTES);

    if (part == PAGE_BYTES)
      bitmap_clear (held->window.map, page);
    else if (bitmap_test (held->window.map, page))
      memset (held->window.pages + from, 0, part);
    from += part;
    length -= part;
  }
}

/* Under the lock, which is given up meanwhile. */
static void
write_pages (struct windows *windows, struct held *held, size_t from,
             const uint8_t *buffer, size_t length)
{
  size_t page;

  held->filling = true;
  pthread_mutex_unlock (&windows->lock);
  fill_pages (held, from, buffer, length);
  pthread_mutex_lock (&windows->lock);
  held->filling = false;
  for (page = from / PAGE_BYTES; page <= (from + length - 1) / PAGE_BYTES;
       page++)
    bitmap_set (held->window.map, page);
}

int
writing_change_window (struct writing *writing, uint64_t offset,
               const uint8_t *buffer, size_t length)
{
  struct windows *windows = writing->windows;
  uint64_t number = offset / windows->chunk_bytes;
  size_t from = (size_t) (offset % windows->chunk_bytes);
  bool all = length == windows->chunk_bytes;
  struct held *held;
  int result = writing_promise (writing, number);

  if (result != 0)
    return result;
  result = windows_get (windows, writing, number,
                        all ? FOR_REPLACING : FOR_CHANGING, &held);
  if (result != 0 || held->dirty)
    writing->promised--;
  if (result != 0)
    return writing_fail (writing, result);
  windows_dirtied (windows, held, (from | length) % PAGE_BYTES != 0);
  /* Writes to one page must not meet. */
  while (held->filling)
    pthread_cond_wait (&windows->changed, &windows->lock);
  if (buffer != NULL)
    write_pages (windows, held, from, buffer, length);
  else
    clear_pages (held, from, length);
  windows_put (windows, held);
  pthread_cond_broadcast (&windows->changed);
  return 0;
}

/* Under the lock: all of it, window by window.  The prefix is not looked at. */
static int
change (struct writing *writing, uint64_t offset, const uint8_t *buffer,
        size_t length)
{
  uint32_t chunk_bytes = writing->windows->chunk_bytes;
  int result = 0;

  while (length > 0 && result == 0) {
    size_t part = (size_t) minimum_u64 (length, chunk_bytes -
                                        offset % chunk_bytes);

    result = writing_change_window (writing, offset, buffer, part);
    offset += part;
    length -= part;
    buffer += part;
  }
  return result;
}

/* Under the lock. */
static int
change_prefix (struct writing *writing, uint64_t offset,
               const uint8_t *buffer, size_t length)
{
  struct windows *windows = writing->windows;
  int result;

  pthread_mutex_unlock (&windows->lock);
  result = writing_write_prefix (writing, offset, buffer, length);
  pthread_mutex_lock (&windows->lock);
  return result != 0 ? writing_fail (writing, result) : 0;
}

/* libvirt's last word about a save must not be taken before the rest is
 * durable.  A copy begins with it.
 */
static bool
ends_save (const struct writing *writing, uint64_t offset,
           const uint8_t *buffer, size_t length)
{
  return offset == 0 && length >= LIBVIRT_MAGIC_BYTES &&
    writing->header.prefix_bytes > 0 && writing->headed &&
    is_finished_magic (buffer);
}

int
writing_write (struct writing *writing, uint64_t offset, const void *buffer,
               size_t length)
{
  pthread_mutex_t *lock = &writing->windows->lock;
  const uint8_t *from = buffer;
  uint64_t end;
  int result;

  if (length == 0)
    return 0;
  if (!add_u64 (offset, length, &end) || end > INT64_MAX)
    return EFBIG;
  pthread_mutex_lock (lock);
  result = ends_save (writing, offset, from, length) ? EAGAIN : 0;
  pthread_mutex_unlock (lock);
  if (result != 0 && (result = writing_finish (writing)) != 0)
    return result;
  pthread_mutex_lock (lock);
  result = writing_enter (writing, offset, length, from);
  if (result == 0) {
    uint64_t prefix = writing->header.prefix_bytes;
    size_t head = offset < prefix
      ? (size_t) minimum_u64 (length, prefix - offset) : 0;

    /* Before any page is: a record has none behind the end. */
    writing->size = maximum_u64 (writing->size, end);
    if (head > 0)
      result = change_prefix (writing, offset, from, head);
    if (result == 0)
      result = change (writing, offset + head, from + head, length - head);
    writing_leave (writing);
  }
  pthread_mutex_unlock (lock);
  return result;
}

/* Copy from a window whose pages stand at their places. */
static void
copy_pages (const struct held *held, size_t from, uint8_t *buffer,
            size_t length)
{
  while (length > 0) {
    size_t part = (size_t) minimum_u64 (length, PAGE_BYTES -
                                        from % PAGE_BYTES);

    if (bitmap_test (held->window.map, from / PAGE_BYTES))
      memcpy (buffer, held->window.pages + from, part);
    else
      memset (buffer, 0, part);
    buffer += part;
    from += part;
    length -= part;
  }
}

/* Under the lock: read within one window. */
static int
read_window (struct writing *writing, uint64_t offset, uint8_t *buffer,
             size_t length)
{
  struct windows *windows = writing->windows;
  uint64_t number = offset / windows->chunk_bytes;
  struct index_entry entry;
  struct held *held;
  int result;

  if (windows_find (windows, writing, number) == NULL &&
      !record_table_find (&writing->records, number, &entry)) {
    memset (buffer, 0, length);
    return 0;
  }
  result = windows_get (windows, writing, number, FOR_READING, &held);
  if (result != 0)
    return result;
  pthread_mutex_unlock (&windows->lock);
  copy_pages (held, (size_t) (offset % windows->chunk_bytes), buffer, length);
  pthread_mutex_lock (&windows->lock);
  windows_put (windows, held);
  return 0;
}

/* Under the lock. */
static int
read_all (struct writing *writing, uint64_t offset, uint8_t *buffer,
          size_t length)
{
  struct windows *windows = writing->windows;
  uint64_t prefix = writing->header.prefix_bytes;
  int result = 0;

  while (length > 0 && result == 0) {
    uint64_t rest = offset < prefix ? prefix - offset
      : windows->chunk_bytes - offset % windows->chunk_bytes;
    size_t part = (size_t) minimum_u64 (length, rest);

    if (offset < prefix) {
      pthread_mutex_unlock (&windows->lock);
      result = writing_read_prefix (writing, offset, buffer, part);
      pthread_mutex_lock (&windows->lock);
    }
    else
      result = read_window (writing, offset, buffer, part);
    offset += part;
    buffer += part;
    length -= part;
  }
  return result;
}

int
writing_read_alone (struct writing *writing, uint64_t offset, void *buffer,
                    size_t length)
{
  pthread_mutex_t *lock = &writing->windows->lock;
  int result;

  pthread_mutex_lock (lock);
  result = read_all (writing, offset, buffer, length);
  pthread_mutex_unlock (lock);
  return result;
}

int
writing_read (struct writing *writing, uint64_t offset, void *buffer,
              size_t length, size_t *count)
{
  struct windows *windows = writing->windows;
  int result = 0;

  *count = 0;
  pthread_mutex_lock (&windows->lock);
  while (writing->alone)
    pthread_cond_wait (&windows->changed, &windows->lock);
  if (writing->error != 0)
    result = writing->error;
  else if (offset < writing->size) {
    *count = (size_t) minimum_u64 (length, writing->size - offset);
    writing->active++;
    result = read_all (writing, offset, buffer, *count);
    writing_leave (writing);
  }
  pthread_mutex_unlock (&windows->lock);
  return result;
}
