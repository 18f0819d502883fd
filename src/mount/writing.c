/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that is being written: its beginning and end, and who comes in. */

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
  writing->started_ns = clock_nanoseconds (CLOCK_MONOTONIC);
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
  /* What image has of the prefix was read when it was opened. */
  if (result == 0)
    result = read_fully (fd, 0, writing->magic,
                         minimum_u64 (sizeof writing->magic,
                                      header->prefix_bytes));
  if (result != 0) {
    writing_free (writing);
    return result;
  }
  writing->header = *header;
  writing->header.incompatible |= FEATURE_UNORDERED;
  writing->size = header->source_bytes;
  writing->placed = writing->headed = writing->finished = true;
  writing->headed_bytes = header->source_bytes;
  writing->whole = (struct image_end) {
    .index_offset = image->footer.index_offset,
    .bytes = image->bytes,
  };
  writing->end = writing->reserved = align_up (image->bytes, PAGE_BYTES);
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
    error_about (&err, ERROR_FAILED, errnum, writing->name,
                 "cannot be written and stays unfinished");
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
  writing->placed = true;
}

/* Whether a change of LENGTH bytes at OFFSET has to wait for writing_open_up.
 */
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
    if (!writing->placed)
      writing_begin (writing, first == NULL ? 0
                     : prefix_of (offset, first, (size_t) length));
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
