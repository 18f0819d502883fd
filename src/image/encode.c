/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A window's pages become a record. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "image/encode.h"
#include "util/buffer.h"
#include "util/checksum.h"

struct encoder {
  const struct encoding *encoding;
  struct iopress_codec_context *context;       /* NULL: all is stored */
  int level;
  uint8_t *pages;              /* see encoder_pages */
  uint8_t *decoded;            /* as many behind them, to verify with */
};

/* Of both buffers, which are one. */
static size_t
buffer_bytes (const struct encoding *encoding)
{
  return (size_t) encoding->header->chunk_bytes * (encoding->verify ? 2 : 1);
}

int
encoder_open (const struct encoding *encoding, struct encoder **encoder_out,
              struct error *err)
{
  const struct file_header *header = encoding->header;
  struct encoder *encoder = calloc (1, sizeof *encoder);

  if (encoder == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up a worker");
  encoder->encoding = encoding;
  encoder->level = header->level;
  encoder->pages = buffer_allocate (buffer_bytes (encoding));
  if (encoding->codec != NULL)
    encoder->context = encoding->codec->ops.open (header->level,
                                                  header->parameters,
                                                  header->chunk_bytes);
  if (encoder->pages == NULL ||
      (encoding->codec != NULL && encoder->context == NULL)) {
    encoder_close (encoder);
    return error_set (err, ERROR_FAILED, ENOMEM,
                      "cannot set up the codec %s", header->codec);
  }
  if (encoding->verify)
    encoder->decoded = encoder->pages + header->chunk_bytes;
  *encoder_out = encoder;
  return 0;
}

void
encoder_close (struct encoder *encoder)
{
  if (encoder == NULL)
    return;
  if (encoder->context != NULL)
    encoder->encoding->codec->ops.close (encoder->context);
  buffer_free (encoder->pages, buffer_bytes (encoder->encoding));
  free (encoder);
}

uint8_t *
encoder_pages (const struct encoder *encoder)
{
  return encoder->pages;
}

void
encoder_set_level (struct encoder *encoder, int level)
{
  const struct codec *codec = encoder->encoding->codec;

  if (level != encoder->level &&
      codec->ops.set_level (encoder->context, level) == 0)
    encoder->level = level;
}

size_t
encoding_room (const struct encoding *encoding)
{
  uint32_t chunk_bytes = encoding->header->chunk_bytes;
  size_t frame = encoding->codec == NULL ? 0
    : encoding->codec->ops.bound (chunk_bytes);

  return record_overhead_bytes (chunk_bytes) +
    (size_t) maximum_u64 (chunk_bytes, frame);
}

/* The frame must give back what went in, before the source may go. */
static int
verify_frame (struct encoder *encoder, const struct window *window,
              const uint8_t *frame, size_t frame_bytes, struct error *err)
{
  const struct codec *codec = encoder->encoding->codec;
  uint32_t raw_bytes = window->header.raw_bytes;

  if (codec->ops.decompress (encoder->context, frame, frame_bytes,
                             encoder->decoded, raw_bytes) == raw_bytes &&
      memcmp (encoder->decoded, window->pages, raw_bytes) == 0)
    return 0;
  return error_set (err, ERROR_FAILED, 0,
                    "codec %s does not give back what it was given",
                    codec->ops.name);
}

/* Fill PAYLOAD with a frame of the pages when that is smaller than they are.
 * Returns its length, 0 when it is not, or -1 with ERR.
 */
static int64_t
make_frame (struct encoder *encoder, const struct window *window,
            uint8_t *payload, struct error *err)
{
  const struct codec *codec = encoder->encoding->codec;
  uint32_t raw_bytes = window->header.raw_bytes;
  size_t length = codec->ops.compress (encoder->context, window->pages,
                                       raw_bytes, payload,
                                       codec->ops.bound (raw_bytes));

  if (length == IOPRESS_CODEC_ERROR || length == IOPRESS_CODEC_NO_ROOM)
    return error_set (err, ERROR_FAILED, 0, "codec %s cannot compress: %s",
                      codec->ops.name,
                      codec_error_text (codec, encoder->context));
  if (length >= raw_bytes)
    return 0;
  if (length > 0 && encoder->encoding->verify &&
      verify_frame (encoder, window, payload, length, err) < 0)
    return -1;
  return (int64_t) length;
}

/* Fill PAYLOAD with a frame, or with the pages themselves. */
static int
make_payload (struct encoder *encoder, struct window *window,
              uint8_t *payload, struct error *err)
{
  struct record_header *record = &window->header;
  int64_t length = encoder->context == NULL ? 0
    : make_frame (encoder, window, payload, err);

  if (length < 0)
    return -1;
  record->payload_bytes = (uint32_t) length;
  if (length == 0) {
    record->flags = RECORD_STORED;
    record->payload_bytes = record->raw_bytes;
    memcpy (payload, window->pages, record->raw_bytes);
  }
  return 0;
}

int
encode_window (struct encoder *encoder, struct window *window,
               uint8_t *bytes, struct error *err)
{
  const struct file_header *header = encoder->encoding->header;
  struct record_header *record = &window->header;
  uint32_t map_bytes = page_map_bytes (header->chunk_bytes);
  uint8_t *body = bytes + RECORD_HEADER_BYTES;

  window->record_bytes = 0;
  if (window->page_count == 0)
    return 0;
  *record = (struct record_header) {
    .window = window->number,
    .source_bytes = header->source_bytes,
    .prefix_bytes = (uint32_t) header->prefix_bytes,
    .chunk_bytes = header->chunk_bytes,
    .raw_bytes = window->page_count * PAGE_BYTES,
  };
  memcpy (record->image_id, header->image_id, IMAGE_ID_BYTES);
  memcpy (body, window->map, map_bytes);
  record->raw_checksum = checksum (window->pages, record->raw_bytes);
  if (make_payload (encoder, window, body + map_bytes, err) < 0)
    return -1;
  record->stored_checksum = checksum (body, map_bytes +
                                      record->payload_bytes);
  record_header_encode (record, bytes);
  window->record = bytes;
  window->record_bytes = record_bytes (record);
  return 0;
}
