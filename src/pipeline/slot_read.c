/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filling slots from a seekable file, several at a time. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/slot_read.h"

struct slot_reader {
  struct file *file;
  struct aio *aio;
  struct page_cache *cache;    /* or NULL */
  struct slot *cached[SLOT_READS_MAX]; /* started, nothing to wait for */
  unsigned int cached_count;
};

int
slot_reader_open (struct file *file, enum slot_read_cache cache,
                  struct slot_reader **reader_out, struct error *err)
{
  struct slot_reader *reader = calloc (1, sizeof *reader);

  if (reader == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up reading");
  reader->file = file;
  if (aio_open (SLOT_READS_MAX, &reader->aio, err) < 0) {
    slot_reader_close (reader);
    return -1;
  }
  if (cache != SLOT_READ_UNCACHED)
    reader->cache = page_cache_open (file, cache == SLOT_READ_DATA);
  *reader_out = reader;
  return 0;
}

void
slot_reader_close (struct slot_reader *reader)
{
  if (reader == NULL)
    return;
  page_cache_close (reader->cache);
  aio_close (reader->aio);
  free (reader);
}

bool
slot_reader_cached (struct slot_reader *reader, struct slot *slot,
                    uint64_t offset, uint32_t pages, uint8_t *map)
{
  if (reader->cache == NULL || reader->cached_count == SLOT_READS_MAX ||
      !page_cache_holds (reader->cache, offset, pages, map))
    return false;
  slot->cache = reader->cache;
  reader->cached[reader->cached_count++] = slot;
  return true;
}

int
slot_reader_descriptor (const struct slot_reader *reader)
{
  return page_cache_descriptor (reader->cache);
}

void
slot_reader_begin (struct slot_reader *reader, struct slot *slot,
                   void *buffer, uint64_t offset, uint64_t end)
{
  struct aio_request *request = &slot->request;

  slot->cache = NULL;
  request->file = reader->file;
  request->write = false;
  request->buffer = buffer;
  request->offset = offset;
  request->length = (size_t) (align_up (end, PAGE_BYTES) - offset);
  request->needed = (size_t) (end - offset);
  request->owner = slot;
  aio_submit (reader->aio, request);
  aio_flush (reader->aio);
}

static struct slot *
finish_cached (struct slot_reader *reader)
{
  struct slot *slot = reader->cached[0];

  reader->cached_count--;
  memmove (reader->cached, reader->cached + 1,
           reader->cached_count * sizeof reader->cached[0]);
  return slot;
}

struct slot *
slot_reader_finish (struct slot_reader *reader)
{
  struct file *file = reader->file;
  struct aio_request *request;
  struct slot *slot;

  if (reader->cached_count > 0)
    return finish_cached (reader);
  request = aio_wait (reader->aio, true);
  slot = request->owner;
  if (request->errnum != 0) {
    error_about (&slot->error, ERROR_FAILED, request->errnum, file->name,
                 "cannot be read at offset %llu",
                 (unsigned long long) request->offset);
  }
  else if (!file->direct)
    file_drop_cache (file, request->offset, request->length);
  return slot;
}

void
slot_reader_wind_down (struct slot_reader *reader)
{
  aio_wind_down (reader->aio);
}
