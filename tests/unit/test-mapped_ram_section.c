/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit tests of src/guest/mapped_ram_section.c: finding the RAM section. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guest/mapped_ram_sections.h"
#include "lib/assert_error.h"
#include "lib/mapped_ram_image.h"
#include "util/bytes.h"

static const struct image_shape plainest = { .section_id = 77 };

/* Look for the RAM section from the end of the capabilities on. */
static int
find (struct image *image, size_t from, uint32_t *id, struct error *err)
{
  struct read_at file = image_reader (image, false);
  struct stream stream = { .file = &file, .position = from, .err = err };
  int result = ram_section_find (&stream, id);

  if (result == 0)
    assert_int_equal (stream.position, image->total_at);
  return result;
}

static size_t
capabilities_end (const struct image *image)
{
  return image->capability_at + 1 + 1 + 26 + 4 + 4 + 1 + 10;
}

static void
assert_found (const struct image_shape *shape)
{
  struct error err = { 0 };
  struct image image;
  uint32_t id;

  image_build (shape, &image);
  if (find (&image, capabilities_end (&image), &id, &err) == -1)
    fail_msg ("refused: %s", err.what);
  assert_int_equal (id, shape->section_id);
  image_free (&image);
}

static void
assert_not_found (struct image *image, size_t from, const char *text)
{
  struct error err = { 0 };
  uint32_t id;

  assert_int_equal (find (image, from, &id, &err), -1);
  assert_error (&err, ERROR_BAD_INPUT, text);
}

static void
test_commands (void **state)
{
  struct image_shape shape = plainest;

  (void) state;
  assert_found (&shape);
  shape.commands = 3;
  assert_found (&shape);
  shape.commands = 4096;
  assert_found (&shape);
}

/* Around the borders of the pieces that the search reads. */
static void
test_sections_before (void **state)
{
  struct image_shape shape = plainest;
  size_t bytes;

  (void) state;
  shape.early_bytes = 18;
  assert_found (&shape);
  for (bytes = 65536 - 40; bytes < 65536 + 40; bytes++) {
    shape.early_bytes = bytes;
    assert_found (&shape);
  }
  shape.early_bytes = 3 * 65536;
  shape.commands = 2;
  assert_found (&shape);
}

static void
test_other_start_before (void **state)
{
  struct image_shape shape = plainest;
  struct error err = { 0 };
  struct image image;
  uint32_t id;

  (void) state;
  shape.early_bytes = 100;
  image_build (&shape, &image);
  image.bytes[capabilities_end (&image)] = SECTION_START;
  assert_int_equal (find (&image, capabilities_end (&image), &id, &err), 0);
  assert_int_equal (id, 77);
  image_free (&image);
}

static void
test_refused (void **state)
{
  struct image_shape shape = plainest;
  struct image image;

  (void) state;
  image_build (&shape, &image);
  put_be32 (image.bytes + image.ram_at + 13, 5);
  assert_not_found (&image, image.ram_at, "has version 5, only 4 is known");
  image.bytes[image.ram_at] = 0x02;
  assert_not_found (&image, image.ram_at, "no RAM section: byte 0x02 at");
  image.bytes[image.ram_at] = SECTION_FULL;
  assert_not_found (&image, image.ram_at, "no RAM section after byte");
  image_free (&image);

  shape.commands = 4097;
  image_build (&shape, &image);
  assert_not_found (&image, capabilities_end (&image),
                    "more than 4096 commands before the RAM section");
  image_free (&image);
}

/* The search gives up behind 16 MiB. */
static void
test_refused_far_away (void **state)
{
  struct image image = { .size = (17u << 20) + 4096 };

  (void) state;
  image.bytes = calloc (1, image.size);
  assert_non_null (image.bytes);
  image.bytes[0] = SECTION_FULL;
  memcpy (image.bytes + (17u << 20),
          "\1\0\0\0\0\3ram\0\0\0\0\0\0\0\4", 17);
  assert_not_found (&image, 0, "no RAM section after byte 0");
  image_free (&image);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_commands),
    cmocka_unit_test (test_sections_before),
    cmocka_unit_test (test_other_start_before),
    cmocka_unit_test (test_refused),
    cmocka_unit_test (test_refused_far_away),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
