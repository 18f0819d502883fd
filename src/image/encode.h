/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A window's pages become a record. */

#ifndef IOPRESS_IMAGE_ENCODE_H
#define IOPRESS_IMAGE_ENCODE_H

#include "image/window.h"
#include "plugin/loader.h"

/* What all encoders of an image share; read only while there are any. */
struct encoding {
  const struct file_header *header;
  const struct codec *codec;   /* NULL: everything is stored */
  bool verify;                 /* decode each frame again and compare */
};

/* For one thread at a time. */
struct encoder;

/* Make an encoder that packs as ENCODING, which must outlive it, says.  Returns
 * 0, or -1 with ERR.
 */
int encoder_open (const struct encoding *encoding, struct encoder **encoder,
                  struct error *err);

/* Free; NULL is ignored. */
void encoder_close (struct encoder *encoder);

/* chunk_bytes of the encoder's own, where pages can be gathered: the same again
 * for each window, they stay in the cache of the thread's processor.
 */
uint8_t *encoder_pages (const struct encoder *encoder);

/* Pack at LEVEL from the next window on, with a codec that has set_level.
 * Where that cannot be had the level stays as it is.
 */
void encoder_set_level (struct encoder *encoder, int level);

/* Bytes that encode_window needs at RECORD. */
size_t encoding_room (const struct encoding *encoding);

/* Make the record of WINDOW, whose pages are gathered, in the room at RECORD.
 * WINDOW leaves with HEADER and RECORD, or with record_bytes 0 when none of its
 * pages is present.  Returns 0, or -1 with ERR.
 */
int encode_window (struct encoder *encoder, struct window *window,
                   uint8_t *record, struct error *err);

#endif /* IOPRESS_IMAGE_ENCODE_H */
