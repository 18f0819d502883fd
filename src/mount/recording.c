/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a window in memory to a record in the file, and back. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "mount/recording.h"
#include "mount/writing_private.h"
#include "util/buffer.h"
#include "util/clock.h"

/* What an image is told from others by in a record. */
static void
take_header (struct file_header *header, const struct writing *owner)
{
  memcpy (header->image_id, owner->header.image_id, IMAGE_ID_BYTES);
  header->prefix_bytes = owner->header.prefix_bytes;
  header->source_bytes = owner->size;
  header->incompatible = FEATURE_UNORDERED;
}

int
recorder_open (const struct file_header *header, const struct codec *codec,
               struct recorder **recorder_out, struct error *err)
{
  struct recorder *recorder = calloc (1, sizeof *recorder);

  if (recorder == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up a worker");
  recorder->header = *header;
  recorder->encoding.header = &recorder->header;
  recorder->encoding.codec = codec;
  recorder->record_room = (size_t) align_up (
    encoding_room (&recorder->encoding), PAGE_BYTES);
  recorder->record = buffer_allocate (recorder->record_room);
  if (recorder->record == NULL)
    error_set (err, ERROR_FAILED, ENOMEM, "cannot set up a worker");
  else if (encoder_open (&recorder->encoding, &recorder->encoder, err) == 0) {
    *recorder_out = recorder;
    return 0;
  }
  recorder_close (recorder);
  return -1;
}

void
recorder_close (struct recorder *recorder)
{
  if (recorder == NULL)
    return;
  encoder_close (recorder->encoder);
  buffer_free (recorder->record, recorder->record_room);
  free (recorder);
}

/* Past the page cache, where the file system can: what is packed is not read
 * soon, and is to be durable.
 */
static int
write_record (struct writing *owner, uint64_t offset, const uint8_t *record,
              size_t length)
{
  int fd = owner->direct_fd, result;

  if (fd >= 0) {
    result = write_fully (fd, offset, record, length);
    if (result != EINVAL)
      return result;
  }
  result = write_fully (owner->fd, offset, record, length);
  /* It is to be durable soon: let the disk begin. */
  if (result == 0)
    sync_file_range (owner->fd, (off_t) offset, (off_t) length,
                     SYNC_FILE_RANGE_WRITE);
  return result;
}

/* Append the record of HELD, in whole pages.  Returns 0 with its offset, or an
 * errno.
 */
static int
append (struct windows *windows, const struct held *held, uint64_t *offset)
{
  struct writing *owner = held->owner;
  size_t length = held->window.record_bytes;
  size_t whole = (size_t) align_up (length, PAGE_BYTES);

  memset (held->window.record + length, 0, whole - length);
  pthread_mutex_lock (&windows->lock);
  *offset = owner->end;
  owner->end += whole;
  pthread_mutex_unlock (&windows->lock);
  return write_record (owner, *offset, held->window.record, whole);
}

/* Of a file that never was whole nobody wants the old record. */
static void
punch_old (int fd, const struct index_entry *old)
{
  uint64_t start = align_up (old->offset, PAGE_BYTES);
  uint64_t end = align_up (old->offset + old->record_bytes, PAGE_BYTES);

  if (start < end)
    allocate_range (fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start,
                    end - start);
}

/* Under the lock: HELD is recorded at OFFSET. */
static void
note_record (struct windows *windows, const struct recorder *recorder,
             struct held *held, uint64_t offset)
{
  struct writing *owner = held->owner;
  struct index_entry entry, old;
  bool again = record_table_find (&owner->records, held->window.number, &old);

  atomic_store (&windows->recorded_ns, clock_nanoseconds (CLOCK_MONOTONIC));
  owner->records_again += again;
  if (held->window.record_bytes == 0)
    record_table_remove (&owner->records, held->window.number);
  else {
    entry = index_entry_of (&held->window.header, offset);
    record_table_set (&owner->records, &entry);
    if (recorder == windows->storer)
      owner->records_stored++;
    else
      owner->records_packed++;
  }
  if (!again || !owner->fresh)
    return;
  pthread_mutex_unlock (&windows->lock);
  punch_old (owner->fd, &old);
  pthread_mutex_lock (&windows->lock);
}

void
record_held (struct windows *windows, struct recorder *recorder,
             struct held *held)
{
  struct writing *owner = held->owner;
  struct error err = { 0 };
  uint64_t offset = 0;
  int errnum = 0;

  pthread_mutex_lock (&windows->lock);
  take_header (&recorder->header, owner);
  pthread_mutex_unlock (&windows->lock);
  window_gather (&held->window, &recorder->header);
  if (encode_window (recorder->encoder, &held->window, recorder->record,
                     &err) < 0) {
    error_subject (&err, owner->name);
    errnum = mounting_say_error (windows->mounting, &err);
  }
  else if (held->window.record_bytes > 0)
    errnum = append (windows, held, &offset);
  pthread_mutex_lock (&windows->lock);
  if (errnum != 0)
    writing_fail (owner, errnum);
  else
    note_record (windows, recorder, held, offset);
  owner->promised--;
  windows_release (windows, held);
  pthread_mutex_unlock (&windows->lock);
}

int
loader_open (const struct file_header *header, const struct codec *codec,
             struct loader **loader_out, struct error *err)
{
  struct loader *loader = calloc (1, sizeof *loader);

  if (loader == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up reading");
  loader->header = *header;
  loader->decoding.header = &loader->header;
  loader->decoding.codec = codec;
  loader->record_room = record_bytes_max (header->chunk_bytes);
  loader->record = buffer_allocate (loader->record_room);
  if (loader->record == NULL)
    error_set (err, ERROR_FAILED, ENOMEM, "cannot set up reading");
  else if (decoder_open (&loader->decoding, &loader->decoder, err) == 0) {
    *loader_out = loader;
    return 0;
  }
  loader_close (loader);
  return -1;
}

void
loader_close (struct loader *loader)
{
  if (loader == NULL)
    return;
  decoder_close (loader->decoder);
  buffer_free (loader->record, loader->record_room);
  free (loader);
}

int
load_held (struct loader *loader, struct held *held,
           const struct index_entry *entry)
{
  struct writing *owner = held->owner;
  struct windows *windows = owner->windows;
  struct error err = { 0 };
  int result;

  pthread_mutex_lock (&windows->lock);
  take_header (&loader->header, owner);
  pthread_mutex_unlock (&windows->lock);
  /* What lies behind an end that has just been set is about to be cleared. */
  loader->header.source_bytes = INT64_MAX;
  loader->decoding.name = owner->name;
  result = read_fully (owner->fd, entry->offset, loader->record,
                       entry->record_bytes);
  if (result != 0)
    return result;
  held->window.record = loader->record;
  held->window.record_bytes = entry->record_bytes;
  if (decode_window (loader->decoder, &held->window, entry, &err) == 0) {
    window_scatter (&held->window, windows->chunk_bytes);
    return 0;
  }
  mounting_say_error (windows->mounting, &err);
  return EIO;
}
