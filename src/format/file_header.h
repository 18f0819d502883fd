/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file header: bytes to struct and back (docs/format.md, "File header"). */

#ifndef IOPRESS_FORMAT_FILE_HEADER_H
#define IOPRESS_FORMAT_FILE_HEADER_H

#include <stddef.h>

#include "format/format.h"
#include "util/error.h"

/* Encoded length in bytes; it stands at file offset prefix_bytes. */
#define FILE_HEADER_BYTES 256

#define FILE_HEADER_MAGIC "IOPRESS1"
#define FILE_HEADER_MAGIC_BYTES 8

#define FORMAT_MAJOR 1
#define FORMAT_MINOR 0

/* What the source was. */
enum image_kind {
  IMAGE_RAW = 0,               /* any sparse file */
  IMAGE_MAPPED_RAM = 1,        /* QEMU's mapped-ram stream at prefix_bytes */
};

/* Compatible feature: stale bytes of clear pages were kept (--exact). */
#define FEATURE_EXACT UINT64_C (1)

/* Compatible feature: the source was given back while the image was written
 * (--discard); an unfinished image may hold the only copy.
 */
#define FEATURE_DISCARD UINT64_C (2)

/* Incompatible feature: records stand in any order, with bytes that mean
 * nothing between them, and have the source's size as it was when they were
 * written.
 */
#define FEATURE_UNORDERED UINT64_C (1)

struct file_header {
  uint16_t major, minor;
  uint8_t image_id[IMAGE_ID_BYTES];
  uint64_t prefix_bytes;       /* length of the prefix = offset of the header */
  uint64_t source_bytes;       /* size of the source file */
  uint32_t chunk_bytes;        /* window size */
  uint32_t kind;               /* enum image_kind */
  uint64_t incompatible;       /* feature bits a reader must know */
  uint64_t compatible;         /* feature bits a reader may ignore */
  char codec[CODEC_NAME_BYTES];
  int32_t level;
  char parameters[CODEC_PARAMETERS_BYTES];
};

/* Layout, little-endian, offsets in bytes:
 *   0 magic[8]          8 u16 major      10 u16 minor     12 u32 256
 *  16 image_id[16]     32 u64 prefix     40 u64 source    48 u32 chunk
 *  52 u32 kind         56 u64 incompat   64 u64 compat    72 codec[16]
 *  88 i32 level        92 u32 zero       96 parameters[64]
 * 160 zero[88]        248 u64 checksum of bytes 0..247
 */

/* Write HEADER as FILE_HEADER_BYTES bytes. */
void file_header_encode (const struct file_header *header,
                         uint8_t bytes[FILE_HEADER_BYTES]);

/* Read and check a file header that was found at file offset OFFSET.
 * Returns 0; or -1 with ERR (ERROR_BAD_INPUT): no magic, checksum wrong,
 * another major version, unknown incompatible feature bits (named as a mask),
 * or a field out of bounds.  prefix_bytes must equal OFFSET.  In HEADER codec
 * and parameters are NUL-terminated and printable.  Reserved bytes must be
 * zero in minor version 0 and are ignored in later ones.
 */
int file_header_decode (const uint8_t bytes[FILE_HEADER_BYTES],
                        uint64_t offset, struct file_header *header,
                        struct error *err);

/* Find the first file header in LENGTH bytes that start at file offset
 * BASE: magic and checksum right and prefix_bytes equal to its place.
 * Returns its index in BYTES, or -1.  A header that would cross the end is
 * not found: callers overlap their buffers by FILE_HEADER_BYTES - 1.
 */
int64_t file_header_find (const uint8_t *bytes, size_t length, uint64_t base);

/* File offset of the first record of an image with this header. */
static inline uint64_t
records_start (const struct file_header *header)
{
  return align_up (header->prefix_bytes + FILE_HEADER_BYTES, PAGE_BYTES);
}

static inline bool
is_unordered (const struct file_header *header)
{
  return (header->incompatible & FEATURE_UNORDERED) != 0;
}

#endif /* IOPRESS_FORMAT_FILE_HEADER_H */
