/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of an image have in common: a magic at the start, a
 * checksum of all bytes before it, an image id, refusal with a message.
 */

#ifndef IOPRESS_FORMAT_PART_H
#define IOPRESS_FORMAT_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* Refuse a part: sets ERR to ERROR_BAD_INPUT, returns -1. */
#define part_refuse(err, ...)                                                \
  error_set ((err), ERROR_BAD_INPUT, 0, __VA_ARGS__)

/* Put the checksum of the LENGTH bytes at BYTES into the 8 bytes after them,
 * and return it.
 */
uint64_t part_seal (uint8_t *bytes, size_t length);

/* Whether they have their checksum after them. */
bool part_sealed (const uint8_t *bytes, size_t length);

/* Check the MAGIC (a string) at BYTES and the checksum of LENGTH bytes that
 * follows them.  PART, for example "footer", begins the message.
 * Returns 0, or -1 with ERR.
 */
int part_check (const char *part, const char *magic, const uint8_t *bytes,
                size_t length, struct error *err);

/* Check that the image id at BYTES, IMAGE_ID_BYTES long, is IMAGE_ID.
 * Returns 0, or -1 with ERR.
 */
int part_check_image (const char *part, const uint8_t *bytes,
                      const uint8_t *image_id, struct error *err);

#endif /* IOPRESS_FORMAT_PART_H */
