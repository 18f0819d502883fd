/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filling a slot from a seekable file. */

#include <config.h>

#include "pipeline/slot_read.h"

void
slot_read_begin (struct aio *aio, struct slot *slot, struct file *file,
                 void *buffer, uint64_t offset, uint64_t end)
{
  struct aio_request *request = &slot->request;

  request->file = file;
  request->write = false;
  request->buffer = buffer;
  request->offset = offset;
  request->length = (size_t) (align_up (end, PAGE_BYTES) - offset);
  request->needed = (size_t) (end - offset);
  request->owner = slot;
  aio_submit (aio, request);
  aio_flush (aio);
}

struct slot *
slot_read_finish (struct aio *aio)
{
  struct aio_request *request = aio_wait (aio, true);
  struct slot *slot = request->owner;
  struct file *file = request->file;

  if (request->errnum != 0) {
    error_set (&slot->error, ERROR_FAILED, request->errnum,
               "cannot be read at offset %llu",
               (unsigned long long) request->offset);
    error_subject (&slot->error, file->name);
  }
  else if (!file->direct)
    file_drop_cache (file, request->offset, request->length);
  return slot;
}
