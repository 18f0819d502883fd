/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzz target: any bytes as a libvirt save image header and its XML. */

#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "guest/libvirt_header.h"
#include "util/bytes.h"

const unsigned int fuzz_message_count = 3;
const unsigned long fuzz_mutation_count = 30000;

static void
try_identity (const uint8_t *xml, size_t length)
{
  char name[256], uuid[40];
  const char *c;

  memset (name, 'x', sizeof name);
  memset (uuid, 'x', sizeof uuid);
  libvirt_domain_identity ((const char *) xml, length, name, uuid);
  FUZZ_ASSERT (memchr (name, '\0', sizeof name) != NULL);
  FUZZ_ASSERT (memchr (uuid, '\0', sizeof uuid) != NULL);
  FUZZ_ASSERT (strlen (uuid) == 0 || strlen (uuid) == 36);
  for (c = name; *c != '\0'; c++)
    FUZZ_ASSERT ((unsigned char) *c >= 0x20 && *c != 0x7f);
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t length)
{
  struct libvirt_header header;
  struct error err = { 0 };

  try_identity (bytes, length);
  if (length < LIBVIRT_HEADER_BYTES)
    return 0;
  if (fuzz_outcome (libvirt_header_decode (bytes, &header, &err), &err)) {
    FUZZ_ASSERT (libvirt_header_present (bytes));
    FUZZ_ASSERT (header.data_bytes > 0 && header.data_bytes <= 16 << 20);
  }
  try_identity (bytes + LIBVIRT_HEADER_BYTES, length - LIBVIRT_HEADER_BYTES);
  return 0;
}

size_t
fuzz_seed (unsigned int number, uint8_t *bytes)
{
  static const char xml[] =
    "<?xml version='1.0'?><!-- saved --><domain type='kvm'>"
    "<metadata><name>no</name><![CDATA[<name>no</name>]]></metadata>"
    "<name>g&amp;&#x20ac;</name><devices/>"
    "<uuid>12345678-9abc-def0-1234-56789abcdef0</uuid></domain>";
  void (*put) (uint8_t *, uint32_t) = number & 2 ? put_be32 : put_le32;

  if (number >= 4)
    return 0;
  memset (bytes, 0, LIBVIRT_HEADER_BYTES);
  memcpy (bytes, number & 1 ? "LibvirtQemudSave" : "LibvirtQemudPart", 16);
  put (bytes + 16, 2);
  put (bytes + 20, sizeof xml);
  memcpy (bytes + LIBVIRT_HEADER_BYTES, xml, sizeof xml);
  return LIBVIRT_HEADER_BYTES + sizeof xml;
}
