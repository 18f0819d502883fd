/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit tests of src/guest/mapped_ram_config.c: the CONFIG section. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest/mapped_ram_sections.h"
#include "lib/assert_error.h"
#include "lib/mapped_ram_image.h"
#include "util/bytes.h"

/* Where the version of the first subsection stands, behind machine "pc". */
#define FIRST_NAME_AT(image) ((image).config_at + 1 + 4 + 2 + 1 + 1)

static const struct image_shape plainest;

static int
read_config (struct image *image, struct stream_config *config,
             struct error *err)
{
  struct read_at file = image_reader (image, false);
  struct stream stream = {
    .file = &file, .position = image->config_at + 1, .err = err,
  };
  int result = config_read (&stream, config);

  if (result == 0)
    assert_int_equal (stream.position, image->ram_at);
  return result;
}

static void
assert_config (const struct image_shape *shape, bool mapped, bool shared)
{
  struct stream_config config = { 0 };
  struct error err = { 0 };
  struct image image;

  image_build (shape, &image);
  if (read_config (&image, &config, &err) == -1)
    fail_msg ("refused: %s", err.what);
  assert_int_equal (config.mapped_ram, mapped);
  assert_int_equal (config.ignore_shared, shared);
  assert_string_equal (config.machine,
                       shape->machine == NULL ? "pc" : shape->machine);
  image_free (&image);
}

static void
assert_config_refused (struct image *image, const char *text)
{
  struct stream_config config = { 0 };
  struct error err = { 0 };

  assert_int_equal (read_config (image, &config, &err), -1);
  assert_error (&err, ERROR_BAD_INPUT, text);
}

static void
test_capabilities (void **state)
{
  struct image_shape shape = plainest;

  (void) state;
  assert_config (&shape, true, false);
  shape.ignore_shared = true;
  assert_config (&shape, true, true);
  shape.no_capability = true;
  assert_config (&shape, false, true);
  shape.ignore_shared = false;
  assert_config (&shape, false, false);
}

static void
test_subsections (void **state)
{
  struct image_shape shape = plainest;

  (void) state;
  shape.page_bits_and_uuid = true;
  shape.machine = "virt-10.0";
  assert_config (&shape, true, false);
  shape.machine = "";
  assert_config (&shape, true, false);
}

static void
test_refused_machine (void **state)
{
  struct image image;

  (void) state;
  image_build (&plainest, &image);
  put_be32 (image.bytes + image.config_at + 1, 256);
  assert_config_refused (&image, "machine name at byte 13 is 256 bytes long");
  put_be32 (image.bytes + image.config_at + 1, 2);
  image.bytes[image.config_at + 5] = '\n';
  assert_config_refused (&image, "machine name at byte 13 is not printable");
  image_free (&image);
}

static void
test_refused_subsections (void **state)
{
  struct image image;
  uint8_t *name;

  (void) state;
  image_build (&plainest, &image);
  name = image.bytes + FIRST_NAME_AT (image);
  put_be32 (name + strlen ("configuration/capabilities"), 2);
  assert_config_refused (&image, "CONFIG subsection 'configuration/"
                         "capabilities' at byte 15 has version 2");
  memcpy (name + 14, "CAP", 3);
  assert_config_refused (&image, "unknown CONFIG subsection 'configuration/"
                         "CAPabilities' at byte 15");
  image_free (&image);
}

static void
test_refused_counts (void **state)
{
  struct image image;
  size_t count_at;

  (void) state;
  image_build (&plainest, &image);
  count_at = FIRST_NAME_AT (image) + strlen ("configuration/capabilities") + 4;
  put_be32 (image.bytes + count_at, 257);
  assert_config_refused (&image, "257 capabilities at byte");
  put_be32 (image.bytes + count_at, UINT32_MAX);
  assert_config_refused (&image, "4294967295 capabilities at byte");
  put_be32 (image.bytes + count_at, 200);
  assert_config_refused (&image, "a capability at byte");
  image_free (&image);
}

/* A thousand subsections, each in order on its own. */
static void
test_refused_endless (void **state)
{
  static const char one[] =
    "\5\036configuration/target-page-bits\0\0\0\1\0\0\0\14";
  static uint8_t bytes[1000 * (sizeof one - 1) + 5];
  struct image image = { .bytes = bytes, .size = sizeof bytes };
  size_t i;

  (void) state;
  for (i = 0; i < 1000; i++)
    memcpy (bytes + 5 + i * (sizeof one - 1), one, sizeof one - 1);
  assert_config_refused (&image, "more than 16 CONFIG subsections");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_capabilities),
    cmocka_unit_test (test_subsections),
    cmocka_unit_test (test_refused_machine),
    cmocka_unit_test (test_refused_subsections),
    cmocka_unit_test (test_refused_counts),
    cmocka_unit_test (test_refused_endless),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
