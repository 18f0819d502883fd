/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The marker at the head of a source that is being consumed. */

#include <config.h>

#include "format/marker.h"
#include "util/checksum.h"

enum {
  AT_IMAGE_ID = 8,
  AT_CONSUMED = 24,
  AT_SOURCE = 32,
  AT_CHECKSUM = 56,
};

void
marker_encode (const struct marker *marker, uint8_t bytes[MARKER_BYTES])
{
  memset (bytes, 0, MARKER_BYTES);
  memcpy (bytes, MARKER_MAGIC, MARKER_MAGIC_BYTES);
  memcpy (bytes + AT_IMAGE_ID, marker->image_id, IMAGE_ID_BYTES);
  put_le64 (bytes + AT_CONSUMED, marker->consumed_bytes);
  put_le64 (bytes + AT_SOURCE, marker->source_bytes);
  put_le64 (bytes + AT_CHECKSUM, checksum (bytes, AT_CHECKSUM));
}

bool
marker_decode (const uint8_t bytes[MARKER_BYTES], struct marker *marker)
{
  if (memcmp (bytes, MARKER_MAGIC, MARKER_MAGIC_BYTES) != 0 ||
      get_le64 (bytes + AT_CHECKSUM) != checksum (bytes, AT_CHECKSUM))
    return false;
  memcpy (marker->image_id, bytes + AT_IMAGE_ID, IMAGE_ID_BYTES);
  marker->consumed_bytes = get_le64 (bytes + AT_CONSUMED);
  marker->source_bytes = get_le64 (bytes + AT_SOURCE);
  return marker->consumed_bytes <= marker->source_bytes;
}
