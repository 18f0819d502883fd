/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit tests of src/guest/libvirt_header.c: libvirt's 92 bytes. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest/libvirt_header.h"
#include "lib/assert_error.h"
#include "util/bytes.h"

static void
build (uint8_t bytes[LIBVIRT_HEADER_BYTES], const char *magic,
       void (*put) (uint8_t *, uint32_t), uint32_t version, uint32_t length)
{
  memset (bytes, 0, LIBVIRT_HEADER_BYTES);
  memcpy (bytes, magic, 16);
  put (bytes + 16, version);
  put (bytes + 20, length);
  put (bytes + 24, 1);
  put (bytes + 28, LIBVIRT_FORMAT_SPARSE);
  put (bytes + 32, 2345);
}

static void
assert_decoded (const uint8_t *bytes, bool finished, uint32_t version)
{
  struct libvirt_header header;
  struct error err = { 0 };

  assert_true (libvirt_header_present (bytes));
  if (libvirt_header_decode (bytes, &header, &err) == -1)
    fail_msg ("refused: %s", err.what);
  assert_int_equal (header.finished, finished);
  assert_int_equal (header.version, version);
  assert_int_equal (header.data_bytes, 67889);
  assert_int_equal (header.was_running, 1);
  assert_int_equal (header.format, 6);
  assert_int_equal (header.cookie_offset, 2345);
}

static void
assert_refused (const uint8_t *bytes, const char *text)
{
  struct libvirt_header header;
  struct error err = { 0 };

  assert_int_equal (libvirt_header_decode (bytes, &header, &err), -1);
  assert_error (&err, ERROR_BAD_INPUT, text);
}

static void
test_decode (void **state)
{
  uint8_t bytes[LIBVIRT_HEADER_BYTES];

  (void) state;
  build (bytes, "LibvirtQemudSave", put_le32, 2, 67889);
  assert_decoded (bytes, true, 2);
  build (bytes, "LibvirtQemudPart", put_le32, 2, 67889);
  assert_decoded (bytes, false, 2);
  build (bytes, "LibvirtQemudSave", put_be32, 2, 67889);
  assert_decoded (bytes, true, 2);
  build (bytes, "LibvirtQemudPart", put_le32, 1, 67889);
  assert_decoded (bytes, false, 1);
}

static void
test_refused_magic (void **state)
{
  uint8_t bytes[LIBVIRT_HEADER_BYTES] = "QEVM";

  (void) state;
  assert_false (libvirt_header_present (bytes));
  assert_refused (bytes, "no libvirt save image header");
  build (bytes, "LibvirtQemudSavE", put_le32, 2, 67889);
  assert_false (libvirt_header_present (bytes));
  assert_refused (bytes, "no libvirt save image header");
}

static void
test_refused_versions (void **state)
{
  uint8_t bytes[LIBVIRT_HEADER_BYTES];

  (void) state;
  build (bytes, "LibvirtQemudSave", put_le32, 3, 67889);
  assert_refused (bytes, "has version 3, only 1 and 2 are known");
  build (bytes, "LibvirtQemudSave", put_le32, 0, 67889);
  assert_refused (bytes, "has version 0, only 1 and 2 are known");
  build (bytes, "LibvirtQemudSave", put_le32, UINT32_MAX, 67889);
  assert_refused (bytes, "has version 4294967295, only");
}

static void
test_refused_lengths (void **state)
{
  uint8_t bytes[LIBVIRT_HEADER_BYTES];
  struct libvirt_header header;
  struct error err = { 0 };

  (void) state;
  build (bytes, "LibvirtQemudSave", put_le32, 2, 0);
  assert_refused (bytes, "announces 0 bytes of XML, which cannot be");
  build (bytes, "LibvirtQemudSave", put_le32, 2, (16 << 20) - 91);
  assert_refused (bytes, "announces 16777125 bytes of XML");
  build (bytes, "LibvirtQemudSave", put_le32, 2, (16 << 20) - 92);
  assert_int_equal (libvirt_header_decode (bytes, &header, &err), 0);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_decode),
    cmocka_unit_test (test_refused_magic),
    cmocka_unit_test (test_refused_versions),
    cmocka_unit_test (test_refused_lengths),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
