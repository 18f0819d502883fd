/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A record becomes a window's pages again. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "image/decode.h"
#include "util/checksum.h"

struct decoder {
  const struct decoding *decoding;
  struct iopress_codec_context *context;       /* or NULL */
};

int
decoder_open (const struct decoding *decoding, struct decoder **decoder_out,
              struct error *err)
{
  const struct file_header *header = decoding->header;
  struct decoder *decoder = calloc (1, sizeof *decoder);

  if (decoder == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up a worker");
  decoder->decoding = decoding;
  if (decoding->codec != NULL && !decoding->fast) {
    /* Decompressing depends on neither level nor parameters, and those in
     * the file may come from another version of the plugin.
     */
    decoder->context =
      decoding->codec->ops.open (decoding->codec->ops.level_default, "",
                                 header->chunk_bytes);
    if (decoder->context == NULL) {
      free (decoder);
      return error_set (err, ERROR_FAILED, ENOMEM,
                        "cannot set up the codec %s", header->codec);
    }
  }
  *decoder_out = decoder;
  return 0;
}

void
decoder_close (struct decoder *decoder)
{
  if (decoder == NULL)
    return;
  if (decoder->context != NULL)
    decoder->decoding->codec->ops.close (decoder->context);
  free (decoder);
}

/* The source may have been longer when a record of an unordered image was
 * written.
 */
static int
check_end (const struct file_header *header, const struct window *window,
           struct error *err)
{
  uint64_t bits = header->chunk_bytes / PAGE_BYTES;
  uint64_t pages = window_count (header->source_bytes, header->chunk_bytes) >
    window->number ? window_pages (window->number, header->source_bytes,
                                   header->chunk_bytes) : 0;

  if (bitmap_next_set (window->record + RECORD_HEADER_BYTES, pages, bits) <
      bits)
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "the record has pages past the end of the source");
  return 0;
}

/* Header and body agree with the image, with the index and with themselves. */
static int
check_record (const struct decoding *decoding, struct window *window,
              const struct index_entry *entry, struct error *err)
{
  struct record_header *record = &window->header;

  if (window->record_bytes < RECORD_HEADER_BYTES ||
      record_header_decode (window->record, record, err) < 0)
    return error_set (err, ERROR_BAD_INPUT, 0, "no record");
  if (!record_belongs (record, decoding->header))
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "the record belongs to another image");
  if (record->window != window->number ||
      record_bytes (record) != window->record_bytes ||
      (entry != NULL &&
       (record->header_checksum != entry->header_checksum ||
        record->raw_bytes != entry->page_count * PAGE_BYTES)))
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "the record is not the one that the index names");
  if (record_body_check (record, window->record + RECORD_HEADER_BYTES,
                         err) < 0)
    return -1;
  return check_end (decoding->header, window, err);
}

static int
decode_payload (struct decoder *decoder, struct window *window,
                const uint8_t *payload, struct error *err)
{
  const struct record_header *record = &window->header;
  const struct codec *codec = decoder->decoding->codec;

  if ((record->flags & RECORD_STORED) != 0) {
    memcpy (window->pages, payload, record->raw_bytes);
    return 0;
  }
  if (codec == NULL)
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "a compressed record in an image without codec");
  if (codec->ops.decompress (decoder->context, payload,
                             record->payload_bytes, window->pages,
                             record->raw_bytes) != record->raw_bytes)
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "codec %s cannot decompress it: %s", codec->ops.name,
                      codec_error_text (codec, decoder->context));
  return 0;
}

/* A source of SOURCE_BYTES that ends within its last page has zeros after its
 * end.
 */
static int
check_last_page (const struct window *window, uint64_t source_bytes,
                 struct error *err)
{
  const struct record_header *record = &window->header;
  uint32_t tail = (uint32_t) (source_bytes % PAGE_BYTES);
  uint32_t pages = window_pages (record->window, source_bytes,
                                 record->chunk_bytes);

  if (tail != 0 && source_bytes / record->chunk_bytes ==
      record->window && bitmap_test (window->map, pages - 1) &&
      !bytes_are_zero (window->pages + record->raw_bytes - PAGE_BYTES + tail,
                       PAGE_BYTES - tail))
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "data after the end of the source");
  return 0;
}

/* Give the page that the prefix ends in the prefix's bytes. */
static void
overlay_prefix (const struct decoding *decoding, struct window *window)
{
  const struct file_header *header = decoding->header;
  uint64_t start = window->number * header->chunk_bytes;
  uint64_t page, pages = header->chunk_bytes / PAGE_BYTES;
  uint8_t *to = window->pages;

  if (decoding->prefix == NULL)
    return;
  for (page = bitmap_next_set (window->map, 0, pages);
       page < pages && start + page * PAGE_BYTES < header->prefix_bytes;
       page = bitmap_next_set (window->map, page + 1, pages)) {
    uint64_t offset = start + page * PAGE_BYTES;

    memcpy (to, decoding->prefix + offset,
            (size_t) minimum_u64 (PAGE_BYTES,
                                  header->prefix_bytes - offset));
    to += PAGE_BYTES;
  }
}

static int
decode (struct decoder *decoder, struct window *window,
        const struct index_entry *entry, struct error *err)
{
  const struct decoding *decoding = decoder->decoding;
  const struct record_header *record = &window->header;
  const uint8_t *body = window->record + RECORD_HEADER_BYTES;
  uint32_t map_bytes = page_map_bytes (decoding->header->chunk_bytes);

  if (check_record (decoding, window, entry, err) < 0)
    return -1;
  memcpy (window->map, body, map_bytes);
  window->page_count = record->raw_bytes / PAGE_BYTES;
  if (decoding->fast)
    return 0;
  if (decode_payload (decoder, window, body + map_bytes, err) < 0)
    return -1;
  if (checksum (window->pages, record->raw_bytes) != record->raw_checksum)
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "the checksum of its pages is wrong");
  if (check_last_page (window, record->source_bytes, err) < 0 ||
      check_last_page (window, decoding->header->source_bytes, err) < 0)
    return -1;
  overlay_prefix (decoding, window);
  return 0;
}

int
decode_window (struct decoder *decoder, struct window *window,
               const struct index_entry *entry, struct error *err)
{
  if (decode (decoder, window, entry, err) == 0)
    return 0;
  error_context (err, "window %llu", (unsigned long long) window->number);
  return error_subject (err, decoder->decoding->name);
}
