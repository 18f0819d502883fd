/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A record becomes a window's pages again. */

#ifndef IOPRESS_IMAGE_DECODE_H
#define IOPRESS_IMAGE_DECODE_H

#include "format/index.h"
#include "image/window.h"
#include "plugin/loader.h"

/* What all decoders of an image share; read only while there are any. */
struct decoding {
  const struct file_header *header;
  const struct codec *codec;   /* NULL: only stored records can be read */
  /* header->prefix_bytes bytes, which the page that the prefix ends in gets; or
   * NULL: that page has zeros there.
   */
  const uint8_t *prefix;
  const char *name;            /* of the image, for messages */
  bool fast;                   /* check stored checksums, decompress nothing */
};

/* For one thread at a time. */
struct decoder;

/* Make a decoder that unpacks as DECODING, which must outlive it, says.
 * Returns 0, or -1 with ERR.
 */
int decoder_open (const struct decoding *decoding, struct decoder **decoder,
                  struct error *err);

/* Free; NULL is ignored. */
void decoder_close (struct decoder *decoder);

/* Check the RECORD of WINDOW, which its number, RECORD and record_bytes tell,
 * and unpack it to PAGES.  ENTRY is what the index says of it, or NULL.  WINDOW
 * leaves with HEADER, the map and its pages, every checksum right.  Returns 0,
 * or -1 with ERR (ERROR_BAD_INPUT), which names the window and the image; what
 * PAGES hold is worth nothing then.
 */
int decode_window (struct decoder *decoder, struct window *window,
                   const struct index_entry *entry, struct error *err);

#endif /* IOPRESS_IMAGE_DECODE_H */
