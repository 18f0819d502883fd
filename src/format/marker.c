/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The marker in a file that is being consumed or expanded. */

#include <config.h>

#include <stdio.h>
#include <string.h>

#include "format/marker.h"
#include "util/checksum.h"

enum {
  AT_IMAGE_ID = 8,
  AT_CONSUMED = 24,
  AT_SOURCE = 32,
  AT_CHECKSUM = 56,
};

static const char *
magic_of (enum marker_kind kind)
{
  return kind == MARKER_EXPANDING ? MARKER_MAGIC_EXPANDING
    : MARKER_MAGIC_CONSUMED;
}

void
marker_encode (const struct marker *marker, uint8_t bytes[MARKER_BYTES])
{
  memset (bytes, 0, MARKER_BYTES);
  memcpy (bytes, magic_of (marker->kind), MARKER_MAGIC_BYTES);
  memcpy (bytes + AT_IMAGE_ID, marker->image_id, IMAGE_ID_BYTES);
  put_le64 (bytes + AT_CONSUMED, marker->consumed_bytes);
  put_le64 (bytes + AT_SOURCE, marker->source_bytes);
  put_le64 (bytes + AT_CHECKSUM, checksum (bytes, AT_CHECKSUM));
}

bool
marker_decode (const uint8_t bytes[MARKER_BYTES], struct marker *marker)
{
  marker->kind = memcmp (bytes, MARKER_MAGIC_EXPANDING,
                         MARKER_MAGIC_BYTES) == 0
    ? MARKER_EXPANDING : MARKER_CONSUMED;
  if (memcmp (bytes, magic_of (marker->kind), MARKER_MAGIC_BYTES) != 0 ||
      get_le64 (bytes + AT_CHECKSUM) != checksum (bytes, AT_CHECKSUM))
    return false;
  memcpy (marker->image_id, bytes + AT_IMAGE_ID, IMAGE_ID_BYTES);
  marker->consumed_bytes = get_le64 (bytes + AT_CONSUMED);
  marker->source_bytes = get_le64 (bytes + AT_SOURCE);
  return marker->consumed_bytes <= marker->source_bytes;
}

bool
marker_begins (const uint8_t bytes[MARKER_BYTES])
{
  uint8_t mended[MARKER_BYTES];

  memcpy (mended, bytes, MARKER_BYTES);
  memcpy (mended, MARKER_MAGIC_CONSUMED, MARKER_MAGIC_BYTES);
  return memcmp (bytes, mended, MARKER_MAGIC_BYTES) == 0 ||
    get_le64 (mended + AT_CHECKSUM) == checksum (mended, AT_CHECKSUM);
}

uint64_t
marker_expanding_offset (uint64_t prefix_bytes)
{
  uint64_t room = MARKER_SECTOR_BYTES - prefix_bytes % MARKER_SECTOR_BYTES;

  return room >= MARKER_BYTES ? prefix_bytes : prefix_bytes + room;
}

bool
marker_find_expanding (const uint8_t *bytes, size_t length,
                       struct marker *marker)
{
  const uint8_t *end = bytes + length;
  const uint8_t *hit = bytes;

  while ((hit = memmem (hit, (size_t) (end - hit), MARKER_MAGIC_EXPANDING,
                        MARKER_MAGIC_BYTES)) != NULL &&
         end - hit >= MARKER_BYTES) {
    if (marker_decode (hit, marker))
      return true;
    hit++;
  }
  return false;
}

void
aside_suffix (const uint8_t image_id[IMAGE_ID_BYTES],
              char suffix[ASIDE_SUFFIX_BYTES])
{
  snprintf (suffix, ASIDE_SUFFIX_BYTES, ASIDE_SUFFIX "%02x%02x%02x%02x",
            image_id[0], image_id[1], image_id[2], image_id[3]);
}

const char *
aside_suffix_of (const char *name)
{
  size_t length = strlen (name), suffix = ASIDE_SUFFIX_BYTES - 1;
  size_t digits = suffix - strlen (ASIDE_SUFFIX);

  if (length <= suffix)
    return NULL;
  name += length - suffix;
  return strncmp (name, ASIDE_SUFFIX, suffix - digits) == 0 &&
    strspn (name + suffix - digits, "0123456789abcdef") == digits
    ? name : NULL;
}
