/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bounds-checked cursor over a file, for the mapped-ram parser. */

#include <config.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "guest/mapped_ram_stream.h"
#include "util/bytes.h"

uint64_t
stream_left (const struct stream *stream)
{
  if (stream->position >= stream->file->size)
    return 0;
  return stream->file->size - stream->position;
}

int
stream_fail (struct stream *stream, const char *format, ...)
{
  char message[sizeof stream->err->what];
  va_list args;

  va_start (args, format);
  vsnprintf (message, sizeof message, format, args);
  va_end (args);
  return error_set (stream->err, ERROR_BAD_INPUT, 0, "%s", message);
}

static int
require (struct stream *stream, uint64_t length, const char *what)
{
  if (length <= stream_left (stream))
    return 0;
  return stream_fail (stream,
                      "cut off: the file ends at byte %" PRIu64
                      ", inside %s", stream->file->size, what);
}

int
stream_bytes (struct stream *stream, void *buffer, size_t length,
              const char *what)
{
  const struct read_at *file = stream->file;

  if (require (stream, length, what) < 0)
    return -1;
  if (length > 0 &&
      file->read (file->opaque, stream->position, buffer, length,
                     stream->err) < 0)
    return -1;
  stream->position += length;
  return 0;
}

int
stream_skip (struct stream *stream, uint64_t length, const char *what)
{
  if (require (stream, length, what) < 0)
    return -1;
  stream->position += length;
  return 0;
}

int
stream_u8 (struct stream *stream, uint8_t *value, const char *what)
{
  return stream_bytes (stream, value, 1, what);
}

int
stream_be16 (struct stream *stream, uint16_t *value, const char *what)
{
  uint8_t bytes[2];

  if (stream_bytes (stream, bytes, sizeof bytes, what) < 0)
    return -1;
  *value = get_be16 (bytes);
  return 0;
}

int
stream_be32 (struct stream *stream, uint32_t *value, const char *what)
{
  uint8_t bytes[4];

  if (stream_bytes (stream, bytes, sizeof bytes, what) < 0)
    return -1;
  *value = get_be32 (bytes);
  return 0;
}

int
stream_be64 (struct stream *stream, uint64_t *value, const char *what)
{
  uint8_t bytes[8];

  if (stream_bytes (stream, bytes, sizeof bytes, what) < 0)
    return -1;
  *value = get_be64 (bytes);
  return 0;
}

int
stream_text (struct stream *stream, size_t length, char text[256],
             const char *what)
{
  uint64_t start = stream->position;
  size_t i;

  if (length > 255)
    return stream_fail (stream, "%s at byte %" PRIu64 " is %zu bytes long, "
                        "at most 255 can be", what, start, length);
  if (stream_bytes (stream, text, length, what) < 0)
    return -1;
  text[length] = '\0';
  for (i = 0; i < length; i++)
    if (text[i] < 0x20 || text[i] > 0x7e)
      return stream_fail (stream, "%s at byte %" PRIu64 " is not printable",
                          what, start);
  return 0;
}

int
stream_name (struct stream *stream, char name[256], const char *what)
{
  uint8_t length;

  if (stream_u8 (stream, &length, what) < 0)
    return -1;
  return stream_text (stream, length, name, what);
}

int
stream_peek (struct stream *stream, uint8_t *value, const char *what)
{
  if (stream_u8 (stream, value, what) < 0)
    return -1;
  stream->position--;
  return 0;
}
