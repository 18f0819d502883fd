/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that is being written, as its source. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "guest/libvirt_header.h"
#include "mount/store.h"
#include "mount/writing_private.h"
#include "util/clock.h"

/* The file behind FD once more, with O_DIRECT, or -1. */
static int
open_direct (int fd)
{
  char path[NODE_PATH_BYTES];

  return open (descriptor_path (fd, path), O_RDWR | O_DIRECT | O_CLOEXEC);
}

static int
make (struct windows *windows, int fd, const char *name,
      struct writing **writing_out)
{
  struct writing *writing = calloc (1, sizeof *writing);

  if (writing == NULL)
    return ENOMEM;
  writing->windows = windows;
  writing->fd = fd;
  writing->direct_fd = open_direct (fd);
  snprintf (writing->name, sizeof writing->name, "%s", name);
  writing->codec = windows->mounting->codec;
  writing->begun_ns = clock_nanoseconds (CLOCK_MONOTONIC);
  clock_gettime (CLOCK_REALTIME, &writing->modified);
  pthread_mutex_lock (&windows->lock);
  LIST_INSERT_HEAD (&windows->writings, writing, link);
  pthread_mutex_unlock (&windows->lock);
  *writing_out = writing;
  return 0;
}

int
writing_new (struct windows *windows, int fd, const char *name,
             struct writing **writing_out)
{
  struct file_header header = windows->mounting->header;
  struct writing *writing;
  int result;

  header.major = FORMAT_MAJOR;
  header.minor = FORMAT_MINOR;
  header.kind = IMAGE_RAW;
  header.incompatible = FEATURE_UNORDERED;
  if (getrandom (header.image_id, IMAGE_ID_BYTES, 0) != IMAGE_ID_BYTES)
    return errno;
  result = make (windows, fd, name, &writing);
  if (result != 0)
    return result;
  writing->header = header;
  writing->fresh = true;
  *writing_out = writing;
  return 0;
}

int
writing_take_up (struct windows *windows, int fd, const struct image *image,
                 struct writing **writing_out)
{
  const struct file_header *header = &image->header;
  struct writing *writing;
  uint64_t i;
  int result;

  if (header->chunk_bytes != windows->chunk_bytes ||
      strcmp (header->codec, windows->mounting->header.codec) != 0)
    return EOPNOTSUPP;
  result = make (windows, fd, image->file->name, &writing);
  if (result != 0)
    return result;
  for (i = 0; result == 0 && i < image->footer.record_count; i++) {
    result = record_table_prepare (&writing->records,
                                   image->entries[i].window);
    if (result == 0)
      record_table_set (&writing->records, &image->entries[i]);
  }
  if (result != 0) {
    writing_free (writing);
    return result;
  }
  writing->header = *header;
  writing->header.incompatible |= FEATURE_UNORDERED;
  writing->size = header->source_bytes;
  writing->begun = writing->headed = writing->finished = true;
  writing->index_offset = image->footer.index_offset;
  writing->end = align_up (image->footer.index_offset, PAGE_BYTES);
  memcpy (writing->magic, image->prefix,
          (size_t) minimum_u64 (sizeof writing->magic, header->prefix_bytes));
  *writing_out = writing;
  return 0;
}

void
writing_free (struct writing *writing)
{
  struct windows *windows;

  if (writing == NULL)
    return;
  windows = writing->windows;
  pthread_mutex_lock (&windows->lock);
  windows_drop (windows, writing, 0, UINT64_MAX);
  LIST_REMOVE (writing, link);
  windows->files_finished += writing->finished;
  windows->records_packed += writing->records_packed;
  windows->records_stored += writing->records_stored;
  windows->records_again += writing->records_again;
  pthread_mutex_unlock (&windows->lock);
  record_table_clear (&writing->records);
  if (writing->direct_fd >= 0)
    close (writing->direct_fd);
  free (writing);
}

int
writing_fail (struct writing *writing, int errnum)
{
  char line[sizeof writing->name + 128];
  struct error err = { 0 };

  if (writing->error == 0) {
    writing->error = errnum;
    error_set (&err, ERROR_FAILED, errnum, "cannot be written and stays "
               "unfinished");
    error_subject (&err, writing->name);
    error_format (&err, line, sizeof line);
    writing->windows->mounting->say (SAY_ERROR, line);
  }
  return writing->error;
}

void
writing_begin_alone (struct writing *writing)
{
  struct windows *windows = writing->windows;

  while (writing->alone)
    pthread_cond_wait (&windows->changed, &windows->lock);
  writing->alone = true;
  while (writing->active > 0)
    pthread_cond_wait (&windows->changed, &windows->lock);
}

void
writing_end_alone (struct writing *writing)
{
  writing->alone = false;
  pthread_cond_broadcast (&writing->windows->changed);
}

/* Where libvirt's save puts QEMU's stream, or 0 when the first bytes written,
 * LENGTH at OFFSET, are none.
 */
static uint64_t
prefix_of (uint64_t offset, const uint8_t *bytes, size_t length)
{
  struct libvirt_header header;
  struct error ignored = { 0 };

  if (offset != 0 || length < LIBVIRT_HEADER_BYTES ||
      !libvirt_header_present (bytes) ||
      libvirt_header_decode (bytes, &header, &ignored) < 0)
    return 0;
  return LIBVIRT_HEADER_BYTES + (uint64_t) header.data_bytes;
}

void
writing_begin (struct writing *writing, uint64_t prefix_bytes)
{
  writing->header.prefix_bytes = prefix_bytes;
  writing->end = writing->reserved = records_start (&writing->header);
  writing->begun = true;
}

/* Whether a change of LENGTH bytes at OFFSET has to wait for writing_open_up. */
static bool
needs_opening (const struct writing *writing, uint64_t offset,
               uint64_t length)
{
  return offset + length > writing->header.prefix_bytes &&
    (writing->finished || !writing->headed);
}

int
writing_enter (struct writing *writing, uint64_t offset, uint64_t length,
               const uint8_t *first)
{
  struct windows *windows = writing->windows;
  int result = 0;

  for (;;) {
    while (writing->alone)
      pthread_cond_wait (&windows->changed, &windows->lock);
    if (writing->error != 0)
      return writing->error;
    if (!writing->begun)
      writing_begin (writing, first != NULL ? prefix_of (offset, first, (size_t) length) : 0);
    if (!needs_opening (writing, offset, length))
      break;
    writing_begin_alone (writing);
    if (needs_opening (writing, offset, length) && writing->error == 0) {
      pthread_mutex_unlock (&windows->lock);
      result = writing_open_up (writing);
      pthread_mutex_lock (&windows->lock);
    }
    if (result != 0)
      writing_fail (writing, result);
    writing_end_alone (writing);
  }
  clock_gettime (CLOCK_REALTIME, &writing->modified);
  writing->active++;
  return 0;
}

void
writing_leave (struct writing *writing)
{
  if (--writing->active == 0)
    pthread_cond_broadcast (&writing->windows->changed);
}

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

/* libvirt's last word about a save must not be taken before the rest is durable.
 * A copy begins with it.
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
