/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The work of restore and verify: a record becomes pages again. */

#include <config.h>

#include "pipeline/record_intake.h"
#include "pipeline/unpack.h"

static int
worker_open (void *opaque, void **worker, struct error *err)
{
  struct decoder *decoder;

  if (decoder_open (opaque, &decoder, err) < 0)
    return -1;
  *worker = decoder;
  return 0;
}

static void
worker_close (void *worker)
{
  decoder_close (worker);
}

/* Make a slot lost and empty. */
static void
lose (struct slot *slot)
{
  slot->error = (struct error) { 0 };
  slot->lost = true;
  slot->window.page_count = 0;
  memset (slot->window.map, 0, sizeof slot->window.map);
}

void
unpack_slot (struct decoder *decoder, struct slot *slot)
{
  struct window *window = &slot->window;

  if (slot->error.kind != ERROR_NONE)
    return;
  if (slot->cache == NULL ||
      page_cache_read (slot->cache, slot->entry.offset, window->record,
                       window->record_bytes, &slot->error) == 0)
    decode_window (decoder, window, slot->has_entry ? &slot->entry : NULL,
                   &slot->error);
}

static void
work (void *worker, struct slot *slot)
{
  unpack_slot (worker, slot);
}

/* One that cannot be read or used is lost; the others are not. */
static void
work_salvaging (void *worker, struct slot *slot)
{
  unpack_slot (worker, slot);
  if (slot->error.kind != ERROR_NONE)
    lose (slot);
}

struct job
unpack_job (const struct decoding *decoding)
{
  return (struct job) {
    /* Only decoder_open gets it. */
    .opaque = (struct decoding *) decoding,
    .raw_bytes = decoding->header->chunk_bytes,
    .packed_bytes = record_intake_room (decoding->header->chunk_bytes),
    .open = worker_open,
    .close = worker_close,
    .work = work,
    .codec = decoding->header->codec,
  };
}

struct job
salvage_job (const struct decoding *decoding)
{
  struct job job = unpack_job (decoding);

  job.work = work_salvaging;
  return job;
}
