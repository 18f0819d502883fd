/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one checksum of the image format: XXH3, 64 bits, seed 0. */

#ifndef IOPRESS_UTIL_CHECKSUM_H
#define IOPRESS_UTIL_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Checksum of LENGTH bytes (docs/format.md, "Checksums").  Any thread. */
uint64_t checksum (const void *bytes, size_t length);

/* Checksum of the two byte ranges as if they stood one after the other. */
uint64_t checksum_two (const void *first, size_t first_length,
                       const void *second, size_t second_length);

/* The checksum of bytes that come part by part.  Returns NULL without memory;
 * checksum_end frees it.
 */
struct checksum_parts *checksum_begin (void);

void checksum_add (struct checksum_parts *parts, const void *bytes,
                   size_t length);

/* The checksum of all that was added. */
uint64_t checksum_end (struct checksum_parts *parts);

#endif /* IOPRESS_UTIL_CHECKSUM_H */
