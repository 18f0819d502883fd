/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of an image have in common. */

#include <config.h>

#include <inttypes.h>

#include "format/format.h"
#include "format/part.h"
#include "util/checksum.h"

uint64_t
part_seal (uint8_t *bytes, size_t length)
{
  uint64_t sum = checksum (bytes, length);

  put_le64 (bytes + length, sum);
  return sum;
}

bool
part_sealed (const uint8_t *bytes, size_t length)
{
  return get_le64 (bytes + length) == checksum (bytes, length);
}

int
part_check (const char *part, const char *magic, const uint8_t *bytes,
            size_t length, struct error *err)
{
  uint64_t expected, found;

  if (memcmp (bytes, magic, strlen (magic)) != 0)
    return part_refuse (err, "%s: magic is missing", part);
  expected = checksum (bytes, length);
  found = get_le64 (bytes + length);
  if (found != expected)
    return part_refuse (err, "%s: checksum is 0x%016" PRIx64
                        ", expected 0x%016" PRIx64, part, found, expected);
  return 0;
}

int
part_check_image (const char *part, const uint8_t *bytes,
                  const uint8_t *image_id, struct error *err)
{
  if (memcmp (bytes, image_id, IMAGE_ID_BYTES) != 0)
    return part_refuse (err, "%s: belongs to another image", part);
  return 0;
}
