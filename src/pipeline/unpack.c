/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The work of restore and verify: a record becomes pages again. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/record_source.h"
#include "pipeline/unpack.h"
#include "util/checksum.h"

struct unpack_worker {
  const struct unpack *unpack;
  struct iopress_codec_context *context;
};

int
unpack_open (const struct unpack *unpack, void **worker_out,
             struct error *err)
{
  const struct file_header *header = unpack->header;
  struct unpack_worker *worker = calloc (1, sizeof *worker);

  if (worker == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up a worker");
  worker->unpack = unpack;
  if (unpack->codec != NULL && !unpack->fast) {
    /* Decompressing depends on neither level nor parameters, and those in
     * the file may come from another version of the plugin.
     */
    worker->context =
      unpack->codec->ops.open (unpack->codec->ops.level_default, "",
                               header->chunk_bytes);
    if (worker->context == NULL) {
      free (worker);
      return error_set (err, ERROR_FAILED, ENOMEM,
                        "cannot set up the codec %s", header->codec);
    }
  }
  *worker_out = worker;
  return 0;
}

static int
job_open (void *opaque, void **worker, struct error *err)
{
  return unpack_open (opaque, worker, err);
}

void
unpack_close (void *opaque)
{
  struct unpack_worker *worker = opaque;

  if (worker->context != NULL)
    worker->unpack->codec->ops.close (worker->context);
  free (worker);
}

/* Header and body agree with the image, with the index and with themselves. */
static int
check_record (const struct unpack *unpack, struct slot *slot)
{
  struct record_header *record = &slot->header;
  struct error *err = &slot->error;

  if (record_header_decode (slot->record, record, err) < 0)
    return -1;
  if (!record_belongs (record, unpack->header))
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "the record belongs to another image");
  if (slot->has_entry &&
      (record->window != slot->entry.window ||
       record->header_checksum != slot->entry.header_checksum ||
       record_bytes (record) != slot->entry.record_bytes ||
       record->raw_bytes != slot->entry.page_count * PAGE_BYTES))
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "the record is not the one that the index names");
  return record_body_check (record, slot->record + RECORD_HEADER_BYTES, err);
}

static int
decode_payload (struct unpack_worker *worker, struct slot *slot,
                const uint8_t *payload)
{
  const struct record_header *record = &slot->header;
  const struct codec *codec = worker->unpack->codec;

  if ((record->flags & RECORD_STORED) != 0) {
    memcpy (slot->raw, payload, record->raw_bytes);
    return 0;
  }
  if (codec == NULL)
    return error_set (&slot->error, ERROR_BAD_INPUT, 0,
                      "a compressed record in an image without codec");
  if (codec->ops.decompress (worker->context, payload, record->payload_bytes,
                             slot->raw, record->raw_bytes) !=
      record->raw_bytes)
    return error_set (&slot->error, ERROR_BAD_INPUT, 0,
                      "codec %s cannot decompress it: %s", codec->ops.name,
                      codec_error_text (codec, worker->context));
  return 0;
}

/* A source that ends within its last page has zeros after its end. */
static int
check_last_page (struct slot *slot)
{
  const struct record_header *record = &slot->header;
  uint32_t tail = (uint32_t) (record->source_bytes % PAGE_BYTES);
  uint32_t pages = window_pages (record->window, record->source_bytes,
                                 record->chunk_bytes);

  if (tail != 0 && record->source_bytes / record->chunk_bytes ==
      record->window && bitmap_test (slot->map, pages - 1) &&
      !bytes_are_zero (slot->raw + record->raw_bytes - PAGE_BYTES + tail,
                       PAGE_BYTES - tail))
    return error_set (&slot->error, ERROR_BAD_INPUT, 0,
                      "data after the end of the source");
  return 0;
}

/* Give the page that the prefix ends in the prefix's bytes. */
static void
overlay_prefix (const struct unpack *unpack, struct slot *slot)
{
  const struct file_header *header = unpack->header;
  uint64_t start = slot->window * header->chunk_bytes;
  uint64_t page, pages = header->chunk_bytes / PAGE_BYTES;
  uint8_t *raw = slot->raw;

  if (unpack->prefix == NULL)
    return;
  for (page = bitmap_next_set (slot->map, 0, pages);
       page < pages && start + page * PAGE_BYTES < header->prefix_bytes;
       page = bitmap_next_set (slot->map, page + 1, pages)) {
    uint64_t offset = start + page * PAGE_BYTES;

    memcpy (raw, unpack->prefix + offset,
            (size_t) minimum_u64 (PAGE_BYTES,
                                  header->prefix_bytes - offset));
    raw += PAGE_BYTES;
  }
}

static int
decode_record (struct unpack_worker *worker, struct slot *slot)
{
  const struct record_header *record = &slot->header;
  const uint8_t *body = slot->record + RECORD_HEADER_BYTES;
  uint32_t map_bytes = page_map_bytes (worker->unpack->header->chunk_bytes);

  if (slot->cache != NULL &&
      page_cache_read (slot->cache, slot->entry.offset, slot->record,
                       slot->record_bytes, &slot->error) < 0)
    return -1;
  if (check_record (worker->unpack, slot) < 0)
    return -1;
  memcpy (slot->map, body, map_bytes);
  slot->page_count = record->raw_bytes / PAGE_BYTES;
  if (worker->unpack->fast)
    return 0;
  if (decode_payload (worker, slot, body + map_bytes) < 0)
    return -1;
  if (checksum (slot->raw, record->raw_bytes) != record->raw_checksum)
    return error_set (&slot->error, ERROR_BAD_INPUT, 0,
                      "the checksum of its pages is wrong");
  if (check_last_page (slot) < 0)
    return -1;
  overlay_prefix (worker->unpack, slot);
  return 0;
}

void
unpack_lose (struct slot *slot)
{
  slot->error = (struct error) { 0 };
  slot->lost = true;
  slot->page_count = 0;
  memset (slot->map, 0, sizeof slot->map);
}

void
unpack_slot (void *opaque, struct slot *slot)
{
  struct unpack_worker *worker = opaque;

  if (slot->lost || decode_record (worker, slot) == 0)
    return;
  if (worker->unpack->salvage)
    unpack_lose (slot);
  else {
    error_context (&slot->error, "window %llu",
                   (unsigned long long) slot->window);
    error_subject (&slot->error, worker->unpack->name);
  }
}

struct job
unpack_job (struct unpack *unpack)
{
  return (struct job) {
    .opaque = unpack,
    .raw_bytes = unpack->header->chunk_bytes,
    .packed_bytes = record_source_room (unpack->header->chunk_bytes),
    .open = job_open,
    .close = unpack_close,
    .work = unpack_slot,
  };
}
