/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's save image header (libvirt src/qemu/qemu_saveimage.c,
 * qemuSaveImageReadHeader).
 */

#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "guest/libvirt_header.h"
#include "util/bytes.h"

#define MAGIC_BYTES 16u
#define MAGIC_FINISHED "LibvirtQemudSave"
#define MAGIC_UNFINISHED "LibvirtQemudPart"

/* 1 is what libvirt wrote before compression; the layout is the same. */
#define OLDEST_VERSION 1u
#define NEWEST_VERSION 2u

#define MAX_DATA_BYTES ((UINT32_C (16) << 20) - LIBVIRT_HEADER_BYTES)

static bool
has_magic (const uint8_t *bytes, const char *magic)
{
  return memcmp (bytes, magic, MAGIC_BYTES) == 0;
}

bool
libvirt_header_present (const uint8_t bytes[LIBVIRT_HEADER_BYTES])
{
  return has_magic (bytes, MAGIC_FINISHED) ||
    has_magic (bytes, MAGIC_UNFINISHED);
}

static bool
version_known (uint32_t version)
{
  return version >= OLDEST_VERSION && version <= NEWEST_VERSION;
}

static void
decode_fields (const uint8_t *bytes, uint32_t (*get) (const uint8_t *),
               struct libvirt_header *header)
{
  bytes += MAGIC_BYTES;
  header->version = get (bytes);
  header->data_bytes = get (bytes + 4);
  header->was_running = get (bytes + 8);
  header->format = get (bytes + 12);
  header->cookie_offset = get (bytes + 16);
}

int
libvirt_header_decode (const uint8_t bytes[LIBVIRT_HEADER_BYTES],
                       struct libvirt_header *header, struct error *err)
{
  if (!libvirt_header_present (bytes))
    return error_set (err, ERROR_BAD_INPUT, 0, "no libvirt save image header");
  header->finished = has_magic (bytes, MAGIC_FINISHED);
  decode_fields (bytes, get_le32, header);
  if (!version_known (header->version))
    decode_fields (bytes, get_be32, header);
  if (!version_known (header->version))
    return error_set (err, ERROR_BAD_INPUT, 0, "libvirt save image header has "
                      "version %" PRIu32 ", only %u and %u are known",
                      get_le32 (bytes + MAGIC_BYTES), OLDEST_VERSION,
                      NEWEST_VERSION);
  if (header->data_bytes == 0 || header->data_bytes > MAX_DATA_BYTES)
    return error_set (err, ERROR_BAD_INPUT, 0, "libvirt save image header "
                      "announces %" PRIu32 " bytes of XML, which cannot be",
                      header->data_bytes);
  return 0;
}
