/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers with K, M, G, T suffixes: from text and to text. */

#ifndef IOPRESS_UTIL_SIZE_H
#define IOPRESS_UTIL_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* Read a decimal number with an optional suffix K, M, G or T (powers of 1024,
 * either case, "iB" or "B" may follow).  Returns false when TEXT is no such
 * number or it does not fit 63 bits.
 */
bool size_parse (const char *text, uint64_t *size);

/* Enough for any size_format. */
#define SIZE_TEXT_BYTES 24

/* Write BYTES for people, "1.5 GiB", into TEXT; returns TEXT. */
const char *size_format (uint64_t bytes, char text[SIZE_TEXT_BYTES]);

#endif /* IOPRESS_UTIL_SIZE_H */
