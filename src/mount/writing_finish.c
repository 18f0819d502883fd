/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making a file that is being written an image, durable. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "format/footer.h"
#include "mount/store.h"
#include "mount/writing_private.h"
#include "util/checksum.h"
#include "util/cleanup.h"

static int
write_header (struct writing *writing)
{
  struct file_header header = writing->header;
  uint8_t bytes[FILE_HEADER_BYTES];

  header.source_bytes = maximum_u64 (writing->size, header.prefix_bytes);
  file_header_encode (&header, bytes);
  writing->headed_bytes = header.source_bytes;
  return write_fully (writing->fd, header.prefix_bytes, bytes, sizeof bytes);
}

int
writing_open_up (struct writing *writing)
{
  int result = 0;

  /* Nobody wants a state between two of one writer's: without its footer no
   * reader takes it for whole, whatever else is lost.
   */
  if (writing->headed && writing->finished && writing->whole.bytes == 0) {
    result = truncate_to (writing->fd, writing->written.index_offset);
    if (result != 0)
      return result;
    result = sync_data (writing->fd);
    writing->end = align_up (writing->written.index_offset, PAGE_BYTES);
    writing->reserved = writing->end;
    writing->written = (struct image_end) { 0 };
  }
  else if (!writing->headed) {
    result = write_header (writing);
    if (result == 0)
      result = sync_data (writing->fd);
    if (result == 0)
      writing->headed = true;
  }
  if (result == 0)
    writing->finished = false;
  return result;
}

/* What stands at its start is all there is. */
static int
complete_plain (struct writing *writing)
{
  uint64_t bytes = writing->placed ? writing->size : 0;
  size_t head = (size_t) minimum_u64 (bytes, LIBVIRT_MAGIC_BYTES);
  int result;

  result = truncate_to (writing->fd, bytes);
  if (result != 0)
    return result;
  writing->headed = false;
  writing->written = (struct image_end) { 0 };
  writing->end = records_start (&writing->header);
  return write_fully (writing->fd, 0, writing->magic, head);
}

/* Encode the index to *BYTES_OUT, to be freed, and fill FOOTER in. */
static int
make_index (const struct writing *writing, uint8_t **bytes_out,
            struct footer *footer)
{
  uint64_t count = writing->records.count;
  size_t entries_bytes = count * INDEX_ENTRY_BYTES;
  uint8_t *bytes = malloc (INDEX_HEADER_BYTES + entries_bytes);
  struct index_header index = { .entry_count = count };
  struct index_entry entry = { 0 };
  uint8_t *to = bytes + INDEX_HEADER_BYTES;

  if (bytes == NULL)
    return ENOMEM;
  *footer = (struct footer) { .index_offset = writing->end };
  while (record_table_next (&writing->records, entry.window, &entry)) {
    index_entry_encode (&entry, to);
    footer_count (footer, &entry, writing->header.chunk_bytes);
    to += INDEX_ENTRY_BYTES;
    entry.window++;
  }
  memcpy (index.image_id, writing->header.image_id, IMAGE_ID_BYTES);
  memcpy (footer->image_id, writing->header.image_id, IMAGE_ID_BYTES);
  index.entries_checksum = checksum (bytes + INDEX_HEADER_BYTES,
                                     entries_bytes);
  index_header_encode (&index, bytes);
  footer->index_bytes = INDEX_HEADER_BYTES + entries_bytes;
  *bytes_out = bytes;
  return 0;
}

static int
write_footer (struct writing *writing, const struct footer *footer)
{
  uint64_t offset = footer->index_offset + footer->index_bytes;
  uint8_t bytes[FOOTER_BYTES];
  int result;

  footer_encode (footer, offset, bytes);
  writing->written = (struct image_end) {
    .index_offset = footer->index_offset,
    .bytes = offset + sizeof bytes,
  };
  pthread_mutex_lock (&writing->windows->lock);
  writing->end = align_up (writing->written.bytes, PAGE_BYTES);
  pthread_mutex_unlock (&writing->windows->lock);
  result = write_fully (writing->fd, offset, bytes, sizeof bytes);
  return result != 0 ? result
    : truncate_to (writing->fd, writing->written.bytes);
}

/* The index, the footer, and nothing behind it.  Header and index are durable
 * before the footer is there: a footer makes the image whole.  A source that is
 * shorter than it was gets its header last: the index there was needs the old
 * one.
 */
static int
write_end (struct writing *writing)
{
  CLEANUP_FREE uint8_t *index = NULL;
  bool shorter = writing->whole.bytes > 0 &&
    writing->size < writing->headed_bytes;
  struct footer footer;
  int result = make_index (writing, &index, &footer);

  if (result == 0)
    result = write_fully (writing->fd, footer.index_offset, index,
                          footer.index_bytes);
  if (result == 0 && !shorter)
    result = write_header (writing);
  if (result == 0)
    result = sync_data (writing->fd);
  if (result == 0)
    result = write_footer (writing, &footer);
  if (result == 0 && shorter) {
    result = sync_data (writing->fd);
    if (result == 0)
      result = write_header (writing);
  }
  return result;
}

/* Give back what was reserved and is not needed. */
static void
free_room (struct writing *writing)
{
  struct stat now;
  uint64_t end;

  if (fstat (writing->fd, &now) < 0)
    return;
  end = align_up ((uint64_t) now.st_size, PAGE_BYTES);
  if (end < writing->reserved)
    allocate_range (writing->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                    end, writing->reserved - end);
  writing->reserved = writing->end;
}

/* Whether what stands before the records is all there is. */
static bool
is_plain (const struct writing *writing)
{
  return writing->records.count == 0 &&
    writing->size <= writing->header.prefix_bytes;
}

static int
write_rest (struct writing *writing)
{
  int result = 0;

  if (is_plain (writing))
    return complete_plain (writing);
  writing_find_kind (writing);
  if (!writing->headed)
    result = writing_open_up (writing);
  return result != 0 ? result : write_end (writing);
}

/* Not every file system makes a new name durable with its file. */
static int
sync_name (const struct writing *writing)
{
  int root = writing->windows->mounting->root_fd;
  struct place place = PLACE_CLOSED;
  struct error err = { 0 };
  struct stat st;
  int result = 0;

  if (!writing->fresh || fstat (writing->fd, &st) < 0 || st.st_nlink == 0)
    return 0;
  if (store_find_place (root, writing->fd, &place, &err) == 0 &&
      place_sync (&place, &err) < 0)
    result = mounting_say_error (writing->windows->mounting, &err);
  place_close (&place);
  return result;
}

/* Make what was written durable, the times and the name too. */
static int
sync_whole (const struct writing *writing)
{
  const struct timespec times[2] = {
    { .tv_nsec = UTIME_OMIT }, writing->modified,
  };
  int result;

  if (futimens (writing->fd, times) < 0)
    return errno;
  result = sync_all (writing->fd);
  return result != 0 ? result : sync_name (writing);
}

/* Alone, not under the lock, with no window in memory: what writing_finish is
 * for.
 */
static int
complete (struct writing *writing)
{
  bool masked = writing->fresh && writing->header.prefix_bytes > 0 &&
    is_finished_magic (writing->magic);
  int result = write_rest (writing);

  if (result != 0)
    return result;
  free_room (writing);
  result = sync_whole (writing);
  if (result != 0 || !masked)
    return result;
  result = write_fully (writing->fd, 0, writing->magic,
                        sizeof writing->magic);
  return result != 0 ? result : sync_whole (writing);
}

/* After an error: what is on the disk must not look whole, unless it was so
 * before (writing_roll_back).  The disk may not do as it is told any more.
 */
static void
mark_unfinished (struct writing *writing)
{
  uint8_t magic[LIBVIRT_MAGIC_BYTES];

  if (is_plain (writing) || writing->whole.bytes > 0)
    return;
  truncate_to (writing->fd, writing->written.bytes > 0
               ? writing->written.index_offset : writing->end);
  memcpy (magic, writing->magic, sizeof magic);
  if (writing->header.prefix_bytes >= sizeof magic)
    writing_write_prefix (writing, 0, magic, sizeof magic);
}

/* Alone, not under the lock: the end that it has now is durable, and the one
 * before is not needed any more.
 */
static void
settle_end (struct writing *writing)
{
  uint64_t start = align_up (writing->whole.index_offset, PAGE_BYTES);
  uint64_t end = align_down (writing->whole.bytes, PAGE_BYTES);

  if (writing->whole.bytes == 0)
    return;
  if (writing->written.bytes > writing->whole.bytes && start < end)
    fallocate (writing->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
               (off_t) start, (off_t) (end - start));
  writing->whole = writing->written;
}

void
writing_roll_back (struct writing *writing)
{
  struct error err = { 0 };
  int result;

  if (writing->error == 0 || writing->whole.bytes == 0)
    return;
  result = truncate_to (writing->fd, writing->whole.bytes);
  if (result == 0)
    result = sync_data (writing->fd);
  if (result == 0)
    return;
  error_about (&err, ERROR_FAILED, result, writing->name,
               "cannot be cut behind its end");
  mounting_say_error (writing->windows->mounting, &err);
}

/* Under the lock, alone. */
static int
finish (struct writing *writing)
{
  struct windows *windows = writing->windows;
  bool finished = writing->finished;
  int result;

  if (!finished)
    windows_flush (windows, writing);
  if (writing->error != 0)
    return writing->error;
  pthread_mutex_unlock (&windows->lock);
  result = finished ? sync_all (writing->fd) : complete (writing);
  if (result != 0 && !finished)
    mark_unfinished (writing);
  if (result == 0 && !finished)
    settle_end (writing);
  pthread_mutex_lock (&windows->lock);
  if (result != 0)
    return writing_fail (writing, result);
  writing->finished = true;
  writing->fresh = false;
  return 0;
}

int
writing_finish (struct writing *writing)
{
  pthread_mutex_t *lock = &writing->windows->lock;
  int result;

  pthread_mutex_lock (lock);
  writing_begin_alone (writing);
  if (!writing->placed && writing->size > 0)
    writing_begin (writing, 0);
  result = finish (writing);
  writing_end_alone (writing);
  pthread_mutex_unlock (lock);
  return result;
}
