/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The marker at the head of a source that is being consumed
 * (docs/format.md, "The marker of a consumed source").
 */

#ifndef IOPRESS_FORMAT_MARKER_H
#define IOPRESS_FORMAT_MARKER_H

#include "format/format.h"

#define MARKER_MAGIC "IOPRGONE"
#define MARKER_MAGIC_BYTES 8

/* Encoded length in bytes: well within one disk sector, so that a power cut
 * leaves the old one or the new one.
 */
#define MARKER_BYTES 64

/* It stands at offset 0 of the source, in the place of bytes that the image
 * already holds.  Everything of the source before CONSUMED_BYTES may be gone
 * from it; the image with this id has it.
 */
struct marker {
  uint8_t image_id[IMAGE_ID_BYTES];
  uint64_t consumed_bytes;     /* source offset, a multiple of the chunk size
                                * or the source's size */
  uint64_t source_bytes;
};

/* Layout, little-endian: 0 magic[8], 8 image_id[16], 24 u64 consumed,
 * 32 u64 source, 40 zero[16], 56 u64 checksum of bytes 0..55.
 */
void marker_encode (const struct marker *marker, uint8_t bytes[MARKER_BYTES]);

/* Returns false when BYTES are no marker (magic, checksum, bounds). */
bool marker_decode (const uint8_t bytes[MARKER_BYTES],
                    struct marker *marker);

#endif /* IOPRESS_FORMAT_MARKER_H */
