/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records: header, page map, payload (docs/format.md, "Records"). */

#ifndef IOPRESS_FORMAT_RECORD_H
#define IOPRESS_FORMAT_RECORD_H

#include "format/file_header.h"

/* Encoded length of a record header in bytes. */
#define RECORD_HEADER_BYTES 80

#define RECORD_MAGIC "IPRC"
#define RECORD_MAGIC_BYTES 4

/* The payload is the raw pages themselves, not a frame of the codec. */
#define RECORD_STORED 1u

/* A record is proof of itself: it names its image and its place in the
 * source, and every byte of it is under a checksum.
 */
struct record_header {
  uint32_t flags;
  uint8_t image_id[IMAGE_ID_BYTES];
  uint64_t window;             /* source offset = window * chunk_bytes */
  uint64_t source_bytes;       /* as in the file header */
  uint32_t prefix_bytes;       /* as in the file header */
  uint32_t chunk_bytes;        /* as in the file header */
  uint32_t raw_bytes;          /* present pages * 4096 */
  uint32_t payload_bytes;      /* 1 .. raw_bytes; raw_bytes when stored */
  uint64_t raw_checksum;       /* of the present pages, one after another */
  uint64_t stored_checksum;    /* of page map and payload as in the file */
  uint64_t header_checksum;    /* of the 72 bytes before it */
};

/* Layout, little-endian, offsets in bytes:
 *   0 magic[4]         4 u32 flags        8 image_id[16]   24 u64 window
 *  32 u64 source      40 u32 prefix      44 u32 chunk      48 u32 raw
 *  52 u32 payload     56 u64 raw sum     64 u64 stored sum 72 u64 header sum
 */

/* Write RECORD as RECORD_HEADER_BYTES bytes; sets its header_checksum. */
void record_header_encode (struct record_header *record,
                           uint8_t bytes[RECORD_HEADER_BYTES]);

/* Read a record header and check everything that needs no other byte:
 * magic, checksum, flags, and bounds of every field.  Returns 0, or -1 with
 * ERR (ERROR_BAD_INPUT).
 */
int record_header_decode (const uint8_t bytes[RECORD_HEADER_BYTES],
                          struct record_header *record, struct error *err);

/* Whether the header's checksum is right: cheap, for bytes that are full of
 * magics.
 */
bool record_header_sealed (const uint8_t bytes[RECORD_HEADER_BYTES]);

/* Whether the record belongs to the image with this file header (image id,
 * prefix length and chunk size agree, and unless the image is unordered the
 * source size).
 */
bool record_belongs (const struct record_header *record,
                     const struct file_header *header);

/* Length in bytes of the page map plus payload, and of the whole record. */
static inline uint64_t
record_body_bytes (const struct record_header *record)
{
  return (uint64_t) page_map_bytes (record->chunk_bytes) +
    record->payload_bytes;
}

static inline uint64_t
record_bytes (const struct record_header *record)
{
  return RECORD_HEADER_BYTES + record_body_bytes (record);
}

/* What a record has beside its payload, in bytes, and the most that it has with
 * it.
 */
static inline uint32_t
record_overhead_bytes (uint32_t chunk_bytes)
{
  return RECORD_HEADER_BYTES + page_map_bytes (chunk_bytes);
}

static inline size_t
record_bytes_max (uint32_t chunk_bytes)
{
  return record_overhead_bytes (chunk_bytes) + (size_t) chunk_bytes;
}

/* Check the body, page map plus payload of record_body_bytes, against its
 * header: stored checksum, and a page map with raw_bytes / 4096 bits set,
 * none of them past the end of the source.  Returns 0 or -1 with ERR.
 */
int record_body_check (const struct record_header *record,
                       const uint8_t *body, struct error *err);

#endif /* IOPRESS_FORMAT_RECORD_H */
