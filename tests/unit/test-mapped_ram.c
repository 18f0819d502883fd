/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit tests of src/guest/mapped_ram.c: recognising and parsing a stream. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/assert_error.h"
#include "lib/mapped_ram_image.h"
#include "util/bytes.h"

static const struct image_shape plainest = {
  .block_count = 1, .blocks = { { .name = "pc.ram", .pages = "1010" } },
};

static const struct image_shape rich = {
  .offset = 67981, .machine = "pc-i440fx-10.0", .ignore_shared = true,
  .page_bits_and_uuid = true, .commands = 40, .section_id = 0x12345678,
  .block_count = 4,
  .blocks = {
    { .name = "shared", .pages = "000000000", .ignored = true },
    { .name = "pc.ram", .pages = "110s0z00000000000000000000000000000000000000"
      "000000000000000000000001" },
    { .name = "/rom@etc/acpi/tables", .pages = "01", .page_bytes = 65536 },
    { .name = "0000:00:02.0/vga.vram", .pages = "0" },
  },
};

static struct mapped_ram *
parse (struct image *image, uint64_t offset)
{
  struct read_at file = image_reader (image, true);
  struct error err = { 0 };
  struct mapped_ram *ram;

  if (mapped_ram_parse (&file, offset, &ram, &err) == -1)
    fail_msg ("refused: %s", err.what);
  return ram;
}

static void
assert_parse_refused (struct image *image, uint64_t offset, const char *text)
{
  struct read_at file = image_reader (image, false);
  struct error err = { 0 };
  struct mapped_ram *ram = (struct mapped_ram *) image;

  assert_int_equal (mapped_ram_parse (&file, offset, &ram, &err), -1);
  assert_null (ram);
  assert_error (&err, ERROR_BAD_INPUT, text);
}

static enum stream_kind
probe (struct image *image, uint64_t offset)
{
  struct read_at file = image_reader (image, false);
  struct error err = { 0 };
  enum stream_kind kind;

  assert_int_equal (mapped_ram_probe (&file, offset, &kind, &err), 0);
  assert_int_equal (err.kind, ERROR_NONE);
  return kind;
}

static void
test_plainest (void **state)
{
  struct image image;
  struct mapped_ram *ram;

  (void) state;
  image_build (&plainest, &image);
  ram = parse (&image, 0);
  assert_int_equal (ram->stream_offset, 0);
  assert_string_equal (ram->machine, "pc");
  assert_false (ram->ignore_shared);
  assert_true (ram->has_footers);
  assert_int_equal (ram->block_count, 1);
  assert_string_equal (ram->blocks[0].name, "pc.ram");
  assert_int_equal (ram->blocks[0].used_bytes, 4 * 4096);
  assert_int_equal (ram->blocks[0].page_count, 4);
  assert_int_equal (ram->blocks[0].present_count, 2);
  assert_int_equal (ram->blocks[0].bitmap[0], 0x05);
  assert_int_equal (ram->ram_end, image.ram_end);
  mapped_ram_free (ram);
  image_free (&image);
}

static void
test_rich (void **state)
{
  struct image image;
  struct mapped_ram *ram;

  (void) state;
  image_build (&rich, &image);
  ram = parse (&image, rich.offset);
  assert_int_equal (ram->stream_offset, rich.offset);
  assert_string_equal (ram->machine, "pc-i440fx-10.0");
  assert_true (ram->ignore_shared);
  assert_int_equal (ram->block_count, 4);
  assert_true (ram->blocks[0].ignored);
  assert_null (ram->blocks[0].bitmap);
  assert_int_equal (ram->blocks[0].pages_offset, 0);
  assert_int_equal (ram->blocks[1].bitmap_offset, image.bitmap_at[1]);
  assert_int_equal (ram->blocks[1].pages_offset, image.pages_at[1]);
  assert_int_equal (ram->blocks[1].page_count, 68);
  assert_int_equal (ram->blocks[1].present_count, 4);
  assert_true (bitmap_test (ram->blocks[1].bitmap, 67));
  assert_int_equal (ram->blocks[2].page_bytes, 65536);
  assert_int_equal (ram->blocks[2].page_count, 2);
  assert_int_equal (ram->blocks[3].present_count, 0);
  assert_int_equal (ram->ram_end, image.ram_end);
  mapped_ram_free (ram);
  image_free (&image);
}

static void
test_without_footers (void **state)
{
  struct image_shape shape = plainest;
  struct image image;
  struct mapped_ram *ram;

  (void) state;
  shape.no_footers = true;
  image_build (&shape, &image);
  ram = parse (&image, 0);
  assert_false (ram->has_footers);
  assert_int_equal (ram->ram_end, image.eos_at + 8);
  mapped_ram_free (ram);
  image_free (&image);
}

static void
test_file_ends_after_ram (void **state)
{
  struct image_shape shape = plainest;
  struct image image;
  struct mapped_ram *ram;

  (void) state;
  shape.no_footers = shape.unfinished = true;
  image_build (&shape, &image);
  ram = parse (&image, 0);
  assert_int_equal (ram->ram_end, image.size);
  mapped_ram_free (ram);
  image_free (&image);
}

static void
test_probe (void **state)
{
  struct image_shape shape = plainest;
  struct image image;

  (void) state;
  image_build (&rich, &image);
  assert_int_equal (probe (&image, rich.offset), STREAM_MAPPED_RAM);
  assert_int_equal (probe (&image, 0), STREAM_NONE);
  assert_int_equal (probe (&image, image.size - 7), STREAM_NONE);
  assert_int_equal (probe (&image, image.size + 4096), STREAM_NONE);
  image_free (&image);

  shape.no_capability = true;
  image_build (&shape, &image);
  assert_int_equal (probe (&image, 0), STREAM_PLAIN);
  image.bytes[image.config_at] = 0x01;
  assert_int_equal (probe (&image, 0), STREAM_PLAIN);
  image.bytes[7] = 2;
  assert_int_equal (probe (&image, 0), STREAM_PLAIN);
  image_free (&image);
}

static void
test_probe_unknown_config (void **state)
{
  struct image_shape shape = plainest;
  struct image image;

  (void) state;
  shape.page_bits_and_uuid = true;
  image_build (&shape, &image);
  image.bytes[image.config_at + 12] = 'X';
  assert_int_equal (probe (&image, 0), STREAM_MAPPED_RAM);
  assert_parse_refused (&image, 0, "unknown CONFIG subsection");
  image_free (&image);

  shape.no_capability = true;
  image_build (&shape, &image);
  image.bytes[image.config_at + 12] = 'X';
  assert_int_equal (probe (&image, 0), STREAM_PLAIN);
  image.size = image.config_at + 6;
  assert_int_equal (probe (&image, 0), STREAM_MAPPED_RAM);
  assert_parse_refused (&image, 0, "cut off: the file ends at byte 14");
  image_free (&image);
}

static int
failing_read (void *opaque, uint64_t offset, void *buffer, size_t length,
              struct error *err)
{
  struct image *image = opaque;

  if (offset + length > image->config_at + 8)
    return error_set (err, ERROR_FAILED, 5, "cannot read");
  memcpy (buffer, image->bytes + offset, length);
  return 0;
}

static void
test_read_error (void **state)
{
  struct image image;
  struct read_at file;
  struct error err = { 0 };
  enum stream_kind kind;
  struct mapped_ram *ram;

  (void) state;
  image_build (&plainest, &image);
  file = image_reader (&image, false);
  file.read = failing_read;
  assert_int_equal (mapped_ram_probe (&file, 0, &kind, &err), -1);
  assert_error (&err, ERROR_FAILED, "cannot read");
  assert_int_equal (err.errnum, 5);
  err = (struct error) { 0 };
  assert_int_equal (mapped_ram_parse (&file, 0, &ram, &err), -1);
  assert_error (&err, ERROR_FAILED, "cannot read");
  image_free (&image);
}

static void
test_refused_heads (void **state)
{
  struct image_shape shape = plainest;
  struct image image;

  (void) state;
  image_build (&plainest, &image);
  assert_parse_refused (&image, 1, "no QEMU stream at byte 1");
  assert_parse_refused (&image, UINT64_MAX, "cut off: the file ends");
  image.bytes[image.config_at] = 0x01;
  assert_parse_refused (&image, 0, "has no CONFIG section");
  image.bytes[7] = 4;
  assert_parse_refused (&image, 0, "has version 4, only 3 is known");
  image_free (&image);

  shape.no_capability = true;
  image_build (&shape, &image);
  assert_parse_refused (&image, 0, "does not use mapped-ram");
  image_free (&image);
}

static void
test_refused_size (void **state)
{
  struct image image;
  struct read_at file;
  struct error err = { 0 };
  struct mapped_ram *ram;

  (void) state;
  image_build (&plainest, &image);
  file = image_reader (&image, false);
  file.size = UINT64_MAX;
  assert_int_equal (mapped_ram_parse (&file, 0, &ram, &err), -1);
  assert_error (&err, ERROR_BAD_INPUT, "no file has 18446744073709551615");
  image_free (&image);
}

static void
test_refused_ends (void **state)
{
  struct image image;

  (void) state;
  image_build (&plainest, &image);
  image.bytes[image.eos_at + 12] = 9;
  assert_parse_refused (&image, 0, "names section 9, but the RAM section is "
                        "0");
  image.bytes[image.eos_at + 7] = 0x11;
  assert_parse_refused (&image, 0, "RAM section does not end at byte");
  image_free (&image);
}

/* No shorter file parses, and each refusal says that it was cut. */
static void
test_every_cut (void **state)
{
  struct image image;
  size_t size;

  (void) state;
  image_build (&rich, &image);
  size = image.size;
  for (image.size = rich.offset; image.size < image.eos_at + 8;
       image.size += image.size < image.pages_at[1] ? 1 : 97)
    assert_parse_refused (&image, rich.offset, "cut off: the file ends at");
  image.size = size;
  image_free (&image);
}

/* What comes before a cut is kept, whole blocks only. */
static void
test_partly (void **state)
{
  struct image image;
  struct read_at file;
  struct mapped_ram *ram;

  (void) state;
  image_build (&rich, &image);
  file = image_reader (&image, false);
  ram = mapped_ram_parse_partly (&file, rich.offset);
  assert_non_null (ram);
  assert_int_equal (ram->block_count, 4);
  mapped_ram_free (ram);

  file.size = image.pages_at[2];
  ram = mapped_ram_parse_partly (&file, rich.offset);
  assert_non_null (ram);
  assert_int_equal (ram->block_count, 2);
  assert_string_equal (ram->blocks[1].name, "pc.ram");
  assert_int_equal (ram->blocks[1].pages_offset, image.pages_at[1]);
  mapped_ram_free (ram);

  file.size = rich.offset + 20;
  assert_null (mapped_ram_parse_partly (&file, rich.offset));
  image_free (&image);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_plainest),
    cmocka_unit_test (test_rich),
    cmocka_unit_test (test_without_footers),
    cmocka_unit_test (test_file_ends_after_ram),
    cmocka_unit_test (test_probe),
    cmocka_unit_test (test_probe_unknown_config),
    cmocka_unit_test (test_read_error),
    cmocka_unit_test (test_refused_heads),
    cmocka_unit_test (test_refused_size),
    cmocka_unit_test (test_refused_ends),
    cmocka_unit_test (test_every_cut),
    cmocka_unit_test (test_partly),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
