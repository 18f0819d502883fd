/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's save image header (libvirt src/qemu/qemu_saveimage.h). */

#ifndef IOPRESS_GUEST_LIBVIRT_HEADER_H
#define IOPRESS_GUEST_LIBVIRT_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define LIBVIRT_HEADER_BYTES 92

/* libvirt's enum virQEMUSaveFormat. */
enum libvirt_format {
  LIBVIRT_FORMAT_RAW = 0,
  LIBVIRT_FORMAT_GZIP = 1,
  LIBVIRT_FORMAT_BZIP2 = 2,
  LIBVIRT_FORMAT_XZ = 3,
  LIBVIRT_FORMAT_LZOP = 4,
  LIBVIRT_FORMAT_ZSTD = 5,
  LIBVIRT_FORMAT_SPARSE = 6,   /* mapped-ram */
};

struct libvirt_header {
  bool finished;               /* magic ...Save, not ...Part */
  uint32_t version;
  uint32_t data_bytes;         /* XML, cookie and padding after the header */
  uint32_t was_running;
  uint32_t format;             /* enum libvirt_format */
  uint32_t cookie_offset;
};

/* Whether the 92 bytes begin with one of libvirt's two magics. */
bool libvirt_header_present (const uint8_t bytes[LIBVIRT_HEADER_BYTES]);

/* Read a header.  Both byte orders are accepted; it is host order in the
 * file.  Returns 0, or -1 with ERR (ERROR_BAD_INPUT): no magic, unknown
 * version, data_bytes 0 or above 16 MiB - 92.
 */
int libvirt_header_decode (const uint8_t bytes[LIBVIRT_HEADER_BYTES],
                           struct libvirt_header *header, struct error *err);

/* Find the domain's name and uuid in the XML of LENGTH bytes that follows the
 * header (untrusted, perhaps not NUL-terminated).  NAME and UUID are
 * terminated, "" when not found; XML entities in the name are resolved.
 */
void libvirt_domain_identity (const char *xml, size_t length,
                              char name[256], char uuid[40]);

#endif /* IOPRESS_GUEST_LIBVIRT_HEADER_H */
