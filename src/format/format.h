/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits of the image format, shared by all its parts (docs/format.md). */

#ifndef IOPRESS_FORMAT_FORMAT_H
#define IOPRESS_FORMAT_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/name.h"                 /* CODEC_STORED */

#define IMAGE_ID_BYTES 16

/* Chunk sizes, in bytes: a power of two within these bounds. */
#define CHUNK_BYTES_MIN (64u << 10)
#define CHUNK_BYTES_MAX (16u << 20)
#define CHUNK_BYTES_DEFAULT (1u << 20)

/* Longest prefix before the file header, in bytes.  libvirt headers with
 * XML and cookie are some tens of KiB.
 */
#define PREFIX_BYTES_MAX (16u << 20)

/* Codec name field and parameter field, in bytes, NUL-padded. */
#define CODEC_NAME_BYTES 16
#define CODEC_PARAMETERS_BYTES 64

/* Whether CHUNK_BYTES is a chunk size the format allows. */
static inline bool
chunk_bytes_valid (uint32_t chunk_bytes)
{
  return is_power_of_two (chunk_bytes) && chunk_bytes >= CHUNK_BYTES_MIN &&
    chunk_bytes <= CHUNK_BYTES_MAX;
}

/* Length in bytes of a record's page map: one bit per 4 KiB page. */
static inline uint32_t
page_map_bytes (uint32_t chunk_bytes)
{
  return chunk_bytes / PAGE_BYTES / 8;
}

/* Number of windows, of CHUNK_BYTES each, that SOURCE_BYTES take. */
static inline uint64_t
window_count (uint64_t source_bytes, uint32_t chunk_bytes)
{
  return divide_up (source_bytes, chunk_bytes);
}

/* Number of 4 KiB pages of WINDOW that lie, wholly or in part, within a
 * source of SOURCE_BYTES.  WINDOW must be below window_count.
 */
static inline uint32_t
window_pages (uint64_t window, uint64_t source_bytes, uint32_t chunk_bytes)
{
  uint64_t rest = source_bytes - window * chunk_bytes;

  return (uint32_t) divide_up (minimum_u64 (rest, chunk_bytes), PAGE_BYTES);
}

#endif /* IOPRESS_FORMAT_FORMAT_H */
