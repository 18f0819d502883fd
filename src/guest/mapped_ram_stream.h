/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bounds-checked cursor over a file, for the mapped-ram parser. */

#ifndef IOPRESS_GUEST_MAPPED_RAM_STREAM_H
#define IOPRESS_GUEST_MAPPED_RAM_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "guest/mapped_ram.h"

/* A place in the file that the parser reads forward from.  Owns nothing. */
struct stream {
  const struct read_at *file;
  uint64_t position;           /* file offset of the next byte */
  struct error *err;           /* where every function below reports */
  uint64_t doubted;            /* bytes of holes looked at all the same */
  uint64_t kept;               /* bytes of bitmaps that take memory */
};

/* Each of these takes what stands at the position and moves past it.  WHAT
 * names that thing in the message when the file ends first ("cut off: ...").
 * Returns 0, or -1 with the stream's err (ERROR_BAD_INPUT, or what the read
 * callback reported); the position is then unspecified.
 */
int stream_bytes (struct stream *stream, void *buffer, size_t length,
                  const char *what);
int stream_skip (struct stream *stream, uint64_t length, const char *what);
int stream_u8 (struct stream *stream, uint8_t *value, const char *what);
int stream_be16 (struct stream *stream, uint16_t *value, const char *what);
int stream_be32 (struct stream *stream, uint32_t *value, const char *what);
int stream_be64 (struct stream *stream, uint64_t *value, const char *what);

/* LENGTH bytes (at most 255) of printable ASCII; TEXT is terminated. */
int stream_text (struct stream *stream, size_t length, char text[256],
                 const char *what);

/* A length byte and that many bytes of printable ASCII. */
int stream_name (struct stream *stream, char name[256], const char *what);

/* The next byte, without moving past it. */
int stream_peek (struct stream *stream, uint8_t *value, const char *what);

/* How many bytes the file holds from the position on. */
uint64_t stream_left (const struct stream *stream);

/* Record ERROR_BAD_INPUT with a message.  Returns -1 always. */
int stream_fail (struct stream *stream, const char *format, ...)
  __attribute__ ((format (printf, 2, 3)));

#endif /* IOPRESS_GUEST_MAPPED_RAM_STREAM_H */
