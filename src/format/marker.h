/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The marker in a file that is not what it was: a source that is being
 * consumed, or an image that is being expanded in its place (docs/format.md,
 * "The marker of a consumed source" and "The marker of an image that is being
 * expanded").
 */

#ifndef IOPRESS_FORMAT_MARKER_H
#define IOPRESS_FORMAT_MARKER_H

#include "format/format.h"

#define MARKER_MAGIC_CONSUMED "IOPRGONE"
#define MARKER_MAGIC_EXPANDING "IOPRUNPK"
#define MARKER_MAGIC_BYTES 8

/* Encoded length in bytes: well within one disk sector, so that a power cut
 * leaves the old one or the new one.
 */
#define MARKER_BYTES 64

/* What markers are kept clear of the end of, so that none is torn. */
#define MARKER_SECTOR_BYTES 512

enum marker_kind {
  MARKER_CONSUMED,
  MARKER_EXPANDING,
};

/* MARKER_CONSUMED stands at offset 0 of the source, in the place of bytes that
 * the image already holds.  Everything of the source before CONSUMED_BYTES may
 * be gone from it; the image with this id has it.
 *
 * MARKER_EXPANDING stands at marker_expanding_offset of the file, within the
 * file header of the image that it was.  That image, with this id, has been
 * put aside, and has all but the prefix.
 */
struct marker {
  enum marker_kind kind;
  uint8_t image_id[IMAGE_ID_BYTES];
  uint64_t consumed_bytes;     /* source offset, a multiple of the chunk size
                                * or the source's size; 0 when expanding */
  uint64_t source_bytes;
};

/* Layout, little-endian: 0 magic[8], 8 image_id[16], 24 u64 consumed,
 * 32 u64 source, 40 zero[16], 56 u64 checksum of bytes 0..55.
 */
void marker_encode (const struct marker *marker, uint8_t bytes[MARKER_BYTES]);

/* Returns false when BYTES are no marker (magic, checksum, bounds). */
bool marker_decode (const uint8_t bytes[MARKER_BYTES],
                    struct marker *marker);

/* Whether BYTES begin like the marker of a consumed source, or are one in all
 * but the magic.  One that does not decode is damaged, and the source no less
 * consumed.
 */
bool marker_begins (const uint8_t bytes[MARKER_BYTES]);

/* Where the marker of an image that is being expanded stands: at the file
 * header, or up to 63 bytes behind its start where it would not lie within one
 * sector there.
 */
uint64_t marker_expanding_offset (uint64_t prefix_bytes);

/* Whether the LENGTH bytes at BYTES hold the marker of an image that is being
 * expanded, at any place; returns it in *MARKER.
 */
bool marker_find_expanding (const uint8_t *bytes, size_t length,
                            struct marker *marker);

/* What the name of the image that was put aside has behind that of the file:
 * ".packed-" and 8 hexadecimal digits of the image's id.
 */
#define ASIDE_SUFFIX ".packed-"
#define ASIDE_SUFFIX_BYTES sizeof (ASIDE_SUFFIX "01234567")
void aside_suffix (const uint8_t image_id[IMAGE_ID_BYTES],
                   char suffix[ASIDE_SUFFIX_BYTES]);

/* Where that begins in NAME, which ends with it and has more before it; or
 * NULL.
 */
const char *aside_suffix_of (const char *name);

#endif /* IOPRESS_FORMAT_MARKER_H */
