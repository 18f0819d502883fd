/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The work of save: a window's pages become a record. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/pack.h"
#include "util/buffer.h"
#include "util/checksum.h"

struct pack_worker {
  const struct pack *pack;
  /* One for each level that may be wanted; none when all is stored. */
  struct iopress_codec_context *contexts[AUTO_LEVELS];
  unsigned int context_count;
  /* chunk_bytes for pages out of the page cache: the same again for each
   * window, it stays in this processor's cache, as RAW of the slots cannot.
   */
  uint8_t *gathered;
  uint8_t *decoded;            /* as many behind them, to verify with */
};

/* Of both buffers, which are one. */
static size_t
buffer_bytes (const struct pack *pack)
{
  return (size_t) pack->header->chunk_bytes * (pack->verify ? 2 : 1);
}

static void
worker_close (void *opaque)
{
  struct pack_worker *worker = opaque;
  unsigned int i;

  for (i = 0; i < worker->context_count; i++)
    worker->pack->codec->ops.close (worker->contexts[i]);
  buffer_free (worker->gathered, buffer_bytes (worker->pack));
  free (worker);
}

static int
open_context (struct pack_worker *worker, int level)
{
  const struct file_header *header = worker->pack->header;
  struct iopress_codec_context *context =
    worker->pack->codec->ops.open (level, header->parameters,
                                   header->chunk_bytes);

  if (context == NULL)
    return -1;
  worker->contexts[worker->context_count++] = context;
  return 0;
}

static int
open_contexts (struct pack_worker *worker)
{
  const struct pack *pack = worker->pack;
  unsigned int i;

  if (pack->automatic == NULL)
    return open_context (worker, pack->header->level);
  for (i = 0; i < AUTO_LEVELS; i++)
    if (open_context (worker, auto_levels[i]) < 0)
      return -1;
  return 0;
}

static int
worker_open (void *opaque, void **worker_out, struct error *err)
{
  const struct pack *pack = opaque;
  struct pack_worker *worker = calloc (1, sizeof *worker);

  if (worker == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up a worker");
  worker->pack = pack;
  worker->gathered = buffer_allocate (buffer_bytes (pack));
  if (worker->gathered == NULL ||
      (pack->codec != NULL && open_contexts (worker) < 0)) {
    worker_close (worker);
    return error_set (err, ERROR_FAILED, ENOMEM,
                      "cannot set up the codec %s", pack->header->codec);
  }
  if (pack->verify)
    worker->decoded = worker->gathered + pack->header->chunk_bytes;
  *worker_out = worker;
  return 0;
}

/* The context of the level in force. */
static struct iopress_codec_context *
current_context (const struct pack_worker *worker)
{
  const struct auto_level *automatic = worker->pack->automatic;

  return worker->contexts[automatic != NULL ? automatic->rung : 0];
}

/* Zero what belongs to the prefix of the page at source offset OFFSET: restore
 * takes it from there.
 */
static void
clear_prefix (const struct file_header *header, uint64_t offset,
              uint8_t *bytes)
{
  if (offset < header->prefix_bytes)
    memset (bytes, 0, (size_t) minimum_u64 (header->prefix_bytes - offset,
                                            PAGE_BYTES));
}

/* Bring the pages FIRST to END - 1 to TO, one behind the other, and clear the
 * bits of those that hold nothing.  Returns where the next one goes.
 */
static uint8_t *
gather_run (const struct file_header *header, struct slot *slot,
            uint8_t *from, uint64_t first, uint64_t end, uint8_t *to)
{
  uint64_t start = slot->window * header->chunk_bytes;
  uint64_t page;

  for (page = first; page < end; page++, from += PAGE_BYTES) {
    clear_prefix (header, start + page * PAGE_BYTES, from);
    if (bytes_are_zero (from, PAGE_BYTES)) {
      bitmap_clear (slot->map, page);
      continue;
    }
    if (to != from)
      memcpy (to, from, PAGE_BYTES);
    to += PAGE_BYTES;
  }
  return to;
}

/* Bring the pages that hold anything together: those in RAW at its start, those
 * that are still in the page cache in GATHERED.  Returns where they are, or NULL
 * with the slot's error.
 */
static uint8_t *
gather_pages (const struct file_header *header, struct slot *slot,
              uint8_t *gathered)
{
  uint64_t start = slot->window * header->chunk_bytes;
  uint64_t pages = header->chunk_bytes / PAGE_BYTES;
  uint64_t first = bitmap_next_set (slot->map, 0, pages), end;
  uint8_t *begin = slot->cache != NULL ? gathered : slot->raw, *to = begin;

  for (; first < pages; first = bitmap_next_set (slot->map, end, pages)) {
    uint8_t *from = slot->raw + first * PAGE_BYTES;

    end = bitmap_next_clear (slot->map, first, pages);
    if (slot->cache != NULL) {
      from = to;
      if (page_cache_read (slot->cache, start + first * PAGE_BYTES, from,
                           (size_t) (end - first) * PAGE_BYTES,
                           &slot->error) < 0)
        return NULL;
    }
    to = gather_run (header, slot, from, first, end, to);
  }
  slot->page_count = (uint32_t) ((size_t) (to - begin) / PAGE_BYTES);
  return begin;
}

/* The frame must give back what went in, before the source may go. */
static int
verify_frame (struct pack_worker *worker, const uint8_t *raw,
              uint32_t raw_bytes, const uint8_t *frame, size_t frame_bytes,
              struct error *err)
{
  const struct codec *codec = worker->pack->codec;

  if (codec->ops.decompress (worker->contexts[0], frame, frame_bytes,
                             worker->decoded, raw_bytes) == raw_bytes &&
      memcmp (worker->decoded, raw, raw_bytes) == 0)
    return 0;
  return error_set (err, ERROR_FAILED, 0,
                    "codec %s does not give back what it was given",
                    codec->ops.name);
}

/* Fill PAYLOAD with a frame of the pages, or with the pages themselves when a
 * frame is not smaller.  Returns the payload's length, 0 with ERR.
 */
static uint32_t
encode_payload (struct pack_worker *worker, const uint8_t *raw,
                uint32_t raw_bytes, uint8_t *payload, uint32_t *flags,
                struct error *err)
{
  const struct codec *codec = worker->pack->codec;

  *flags = 0;
  if (codec != NULL) {
    struct iopress_codec_context *context = current_context (worker);
    size_t length = codec->ops.compress (context, raw, raw_bytes, payload,
                                         codec->ops.bound (raw_bytes));

    if (length == IOPRESS_CODEC_ERROR || length == IOPRESS_CODEC_NO_ROOM) {
      error_set (err, ERROR_FAILED, 0, "codec %s cannot compress: %s",
                 codec->ops.name, codec_error_text (codec, context));
      return 0;
    }
    if (length > 0 && length < raw_bytes) {
      if (worker->pack->verify &&
          verify_frame (worker, raw, raw_bytes, payload, length, err) < 0)
        return 0;
      return (uint32_t) length;
    }
  }
  *flags = RECORD_STORED;
  memcpy (payload, raw, raw_bytes);
  return raw_bytes;
}

static void
work (void *opaque, struct slot *slot)
{
  struct pack_worker *worker = opaque;
  const struct file_header *header = worker->pack->header;
  struct record_header *record = &slot->header;
  uint32_t map_bytes = page_map_bytes (header->chunk_bytes);
  uint8_t *body = slot->packed + RECORD_HEADER_BYTES;
  const uint8_t *raw = gather_pages (header, slot, worker->gathered);

  slot->record_bytes = 0;
  if (raw == NULL || slot->page_count == 0)
    return;

  *record = (struct record_header) {
    .window = slot->window,
    .source_bytes = header->source_bytes,
    .prefix_bytes = (uint32_t) header->prefix_bytes,
    .chunk_bytes = header->chunk_bytes,
    .raw_bytes = slot->page_count * PAGE_BYTES,
  };
  memcpy (record->image_id, header->image_id, IMAGE_ID_BYTES);
  memcpy (body, slot->map, map_bytes);
  record->raw_checksum = checksum (raw, record->raw_bytes);
  record->payload_bytes = encode_payload (worker, raw,
                                          record->raw_bytes,
                                          body + map_bytes, &record->flags,
                                          &slot->error);
  if (record->payload_bytes == 0)
    return;
  record->stored_checksum = checksum (body, map_bytes +
                                      record->payload_bytes);
  record_header_encode (record, slot->packed);
  slot->record = slot->packed;
  slot->record_bytes = record_bytes (record);
}

struct job
pack_job (struct pack *pack)
{
  uint32_t chunk_bytes = pack->header->chunk_bytes;
  size_t payload_room = chunk_bytes;

  if (pack->codec != NULL)
    payload_room = (size_t) maximum_u64 (chunk_bytes,
                                         pack->codec->ops.bound (chunk_bytes));
  return (struct job) {
    .opaque = pack,
    .raw_bytes = chunk_bytes,
    .packed_bytes = RECORD_HEADER_BYTES + page_map_bytes (chunk_bytes) +
      payload_room,
    .open = worker_open,
    .close = worker_close,
    .work = work,
  };
}
