/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of src/image/content.c, content_scan.c and content_check.c: every kind of
 * file, in memory, and what each verb is told of it.
 */

#include <config.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/footer.h"
#include "image/content.h"
#include "lib/assert_error.h"
#include "lib/mapped_ram_image.h"

#define XML "<domain><name>a\n&lt;guest&gt;</name><uuid>u-u</uuid></domain>"
#define DATA_BYTES 400u
#define PREFIX_BYTES (LIBVIRT_HEADER_BYTES + DATA_BYTES)

/* The file under test. */
static uint8_t *bytes;
static size_t size;
static size_t bytes_read;
static uint64_t fail_at;
static int failure;

static int
read_bytes (void *opaque, uint64_t offset, void *buffer, size_t length,
            struct error *err)
{
  (void) opaque;
  assert_true (offset <= size && length <= size - offset);
  if (fail_at >= offset && fail_at - offset < length)
    return error_set (err, (enum error_kind) failure, EIO, "cannot be read");
  memcpy (buffer, bytes + offset, length);
  bytes_read += length;
  return 0;
}

static struct read_at
reader (void)
{
  return (struct read_at) { .read = read_bytes, .size = size };
}

/* Make the file LENGTH bytes long, of zeros. */
static void
make (size_t length)
{
  free (bytes);
  bytes = calloc (1, length + 1);
  assert_non_null (bytes);
  size = length;
  bytes_read = 0;
  fail_at = UINT64_MAX;
}

static int
tear_down (void **state)
{
  (void) state;
  free (bytes);
  bytes = NULL;
  return 0;
}

static struct content
look (void)
{
  struct read_at at = reader ();
  struct content content;
  struct error err = { 0 };

  if (content_look (&at, CONTENT_SEARCH_USUAL, &content, &err) < 0 ||
      content_settle (&at, &content, &err) < 0)
    fail_msg ("%s", err.what);
  content_free (&content);
  return content;
}

static struct content
expect (enum content_kind kind)
{
  struct content content = look ();

  assert_string_equal (content_word (content.kind), content_word (kind));
  assert_int_equal (content.kind, kind);
  return content;
}

/* A mapped-ram stream at OFFSET. */
static void
make_stream (uint64_t offset, bool unfinished, bool plain)
{
  struct image_shape shape = {
    .offset = offset, .section_id = 3, .block_count = 1,
    .unfinished = unfinished, .no_capability = plain,
    .blocks = { { .name = "pc.ram", .pages = "10s1" } },
  };
  struct image image;

  image_build (&shape, &image);
  make (image.size);
  memcpy (bytes, image.bytes, size);
  image_free (&image);
}

static void
put_libvirt (const char *magic, uint32_t format)
{
  memset (bytes, 0, PREFIX_BYTES);
  memcpy (bytes, magic, 16);
  put_le32 (bytes + 16, 2);
  put_le32 (bytes + 20, DATA_BYTES);
  put_le32 (bytes + 28, format);
  memcpy (bytes + LIBVIRT_HEADER_BYTES, XML, sizeof XML);
}

static struct file_header
put_header (uint64_t offset, uint64_t compatible, uint64_t incompatible)
{
  struct file_header header = {
    .major = FORMAT_MAJOR, .minor = FORMAT_MINOR, .image_id = { 1, 2, 3, 4 },
    .prefix_bytes = offset, .source_bytes = 1 << 24,
    .chunk_bytes = CHUNK_BYTES_DEFAULT, .codec = CODEC_STORED,
    .compatible = compatible, .incompatible = incompatible,
  };

  file_header_encode (&header, bytes + offset);
  return header;
}

/* Behind no record at all. */
static void
put_footer (const struct file_header *header)
{
  struct footer footer = { .index_bytes = INDEX_HEADER_BYTES };
  uint64_t at;

  memcpy (footer.image_id, header->image_id, IMAGE_ID_BYTES);
  footer.index_offset = records_start (header);
  at = footer.index_offset + footer.index_bytes;
  assert_int_equal (at + FOOTER_BYTES, size);
  footer_encode (&footer, at, bytes + at);
}

static void
make_image (uint64_t prefix, uint64_t compatible, bool finished)
{
  struct file_header header = { .prefix_bytes = prefix };

  make (records_start (&header) + INDEX_HEADER_BYTES + FOOTER_BYTES);
  header = put_header (prefix, compatible, 0);
  if (finished)
    put_footer (&header);
}

static void
put_marker (uint64_t offset, enum marker_kind kind)
{
  struct marker marker = {
    .kind = kind, .image_id = { 0xab, 0xcd, 1, 2 },
    .consumed_bytes = kind == MARKER_CONSUMED ? 1 << 20 : 0,
    .source_bytes = 1 << 24,
  };

  marker_encode (&marker, bytes + offset);
}

static void
test_nothing (void **state)
{
  (void) state;
  make (0);
  expect (CONTENT_EMPTY);
  make (1);
  expect (CONTENT_ZEROS);
  make ((1 << 20) + 5);
  expect (CONTENT_ZEROS);
  bytes[size - 1] = 1;
  expect (CONTENT_OTHER);
}

static void
test_save (void **state)
{
  struct content content;

  (void) state;
  make_stream (0, false, false);
  content = expect (CONTENT_SAVE);
  assert_false (content.has_libvirt);
  make_stream (PREFIX_BYTES, false, false);
  put_libvirt ("LibvirtQemudSave", LIBVIRT_FORMAT_SPARSE);
  content = expect (CONTENT_SAVE);
  assert_true (content.has_libvirt);
  assert_int_equal (content.prefix_bytes, PREFIX_BYTES);
  put_libvirt ("LibvirtQemudPart", LIBVIRT_FORMAT_SPARSE);
  expect (CONTENT_PART_SAVE);
  size--;
  expect (CONTENT_UNFINISHED_SAVE);
  make_stream (0, true, false);
  content = expect (CONTENT_UNFINISHED_SAVE);
  assert_string_not_equal (content.why.what, "");
}

static void
test_plain_save (void **state)
{
  (void) state;
  make_stream (0, false, true);
  assert_true (expect (CONTENT_PLAIN_SAVE).plain_stream);
  make_stream (PREFIX_BYTES, false, true);
  put_libvirt ("LibvirtQemudSave", LIBVIRT_FORMAT_SPARSE);
  expect (CONTENT_PLAIN_SAVE);
  size -= 2;
  expect (CONTENT_UNFINISHED_SAVE);
  put_libvirt ("LibvirtQemudSave", LIBVIRT_FORMAT_RAW);
  expect (CONTENT_PLAIN_SAVE);
  memcpy (bytes + PREFIX_BYTES, "compress", 8);
  put_libvirt ("LibvirtQemudPart", LIBVIRT_FORMAT_ZSTD);
  expect (CONTENT_PART_SAVE);
  put_libvirt ("LibvirtQemudSave", LIBVIRT_FORMAT_SPARSE);
  expect (CONTENT_UNFINISHED_SAVE);
  size = PREFIX_BYTES - 1;
  expect (CONTENT_UNFINISHED_SAVE);
  bytes[16] = 9;
  assert_false (expect (CONTENT_UNFINISHED_SAVE).has_libvirt);
}

static void
test_image (void **state)
{
  struct content content;

  (void) state;
  make_image (0, 0, true);
  expect (CONTENT_IMAGE);
  make_image (PREFIX_BYTES, 0, true);
  content = expect (CONTENT_IMAGE);
  assert_int_equal (content.prefix_bytes, PREFIX_BYTES);
  put_libvirt ("LibvirtQemudSave", LIBVIRT_FORMAT_SPARSE);
  expect (CONTENT_IMAGE);
  /* Its place is found, whatever libvirt's header says. */
  put_le32 (bytes + 20, DATA_BYTES + 1);
  expect (CONTENT_IMAGE);
  size--;
  content = expect (CONTENT_UNFINISHED_IMAGE);
  assert_false (content_is_half (&content));
  make_image (0, FEATURE_DISCARD, false);
  content = expect (CONTENT_UNFINISHED_IMAGE);
  assert_true (content_is_half (&content));
  make_image (0, FEATURE_DISCARD, true);
  content = expect (CONTENT_IMAGE);
  assert_false (content_is_half (&content));
}

static void
test_damaged_image (void **state)
{
  struct content content;

  (void) state;
  make_image (PREFIX_BYTES, 0, true);
  put_libvirt ("LibvirtQemudSave", LIBVIRT_FORMAT_SPARSE);
  bytes[PREFIX_BYTES + 20] ^= 1;
  content = expect (CONTENT_DAMAGED_IMAGE);
  assert_error (&content.why, ERROR_BAD_INPUT, "checksum");
  /* A disk may have a program in it that knows the magic. */
  make (1 << 20);
  memcpy (bytes + 70000, FILE_HEADER_MAGIC, FILE_HEADER_MAGIC_BYTES);
  content = expect (CONTENT_OTHER);
  assert_error (&content.why, ERROR_BAD_INPUT, "checksum");
  make_image (0, 0, true);
  bytes[8] = 9;
  expect (CONTENT_DAMAGED_IMAGE);
}

static void
test_markers (void **state)
{
  struct content content;

  (void) state;
  make_stream (0, false, false);
  put_marker (0, MARKER_CONSUMED);
  content = expect (CONTENT_CONSUMED);
  assert_int_equal (content.marker.image_id[0], 0xab);
  assert_int_equal (content.marker.consumed_bytes, 1 << 20);
  bytes[40] ^= 1;
  assert_true (expect (CONTENT_CONSUMED).marker_damaged);
  make_image (PREFIX_BYTES, 0, true);
  put_libvirt ("LibvirtQemudSave", LIBVIRT_FORMAT_SPARSE);
  put_marker (marker_expanding_offset (PREFIX_BYTES), MARKER_EXPANDING);
  assert_false (expect (CONTENT_HALF_EXPANDED).ending);
  /* Where it stands in the next sector, the image's magic stays. */
  make_image (500, 0, true);
  assert_int_equal (marker_expanding_offset (500), 512);
  put_marker (512, MARKER_EXPANDING);
  expect (CONTENT_HALF_EXPANDED);
  make_stream (PREFIX_BYTES, false, false);
  put_libvirt ("LibvirtQemudSave", LIBVIRT_FORMAT_SPARSE);
  size = size / MARKER_SECTOR_BYTES * MARKER_SECTOR_BYTES + MARKER_BYTES -
    MARKER_SECTOR_BYTES;
  put_marker (size - MARKER_BYTES, MARKER_EXPANDING);
  assert_true (expect (CONTENT_HALF_EXPANDED).ending);
}

/* What a guest has in its memory makes nothing else of its save. */
static void
test_guest_is_not_believed (void **state)
{
  struct image_shape shape = {
    .section_id = 3, .block_count = 1,
    .blocks = { { .name = "pc.ram", .pages = "1111" } },
  };
  struct image image;

  (void) state;
  image_build (&shape, &image);
  make (image.size);
  memcpy (bytes, image.bytes, size);
  put_header (image.pages_at[0], 0, 0);
  put_marker (image.pages_at[0] + PAGE_BYTES, MARKER_EXPANDING);
  image_free (&image);
  expect (CONTENT_SAVE);
}

static void
test_scan (void **state)
{
  struct read_at at;
  struct content content;
  struct error err = { 0 };

  (void) state;
  make_stream (65536, false, false);
  assert_int_equal (expect (CONTENT_SAVE).prefix_bytes, 65536);
  /* At the border of two parts, and of how far a stream is looked for. */
  make (2 << 20);
  put_header ((1 << 20) - 3, 0, 0);
  expect (CONTENT_UNFINISHED_IMAGE);
  make_stream (CONTENT_SEARCH_USUAL - 1, false, false);
  expect (CONTENT_SAVE);
  make_stream (CONTENT_SEARCH_USUAL, false, false);
  expect (CONTENT_OTHER);
  at = reader ();
  assert_int_equal (content_look (&at, CONTENT_SEARCH_ALL, &content, &err), 0);
  assert_int_equal (content.kind, CONTENT_SAVE);
  content_free (&content);
  make (PREFIX_BYTES_MAX + FILE_HEADER_BYTES);
  put_header (PREFIX_BYTES_MAX, 0, 0);
  expect (CONTENT_UNFINISHED_IMAGE);
  make (PREFIX_BYTES_MAX + 2 * FILE_HEADER_BYTES);
  put_marker (3 << 20, MARKER_EXPANDING);
  expect (CONTENT_HALF_EXPANDED);
}

/* What cannot be read is nothing. */
static void
test_errors (void **state)
{
  static const enum error_kind kinds[] = { ERROR_FAILED, ERROR_CANCELLED };
  struct read_at at;
  struct content content;
  size_t i, offset;

  (void) state;
  make_stream (PREFIX_BYTES, false, false);
  put_libvirt ("LibvirtQemudSave", LIBVIRT_FORMAT_SPARSE);
  at = reader ();
  for (i = 0; i < 2; i++)
    for (offset = 0; offset < PREFIX_BYTES + 40;
         offset += offset < 91 ? 91 : PREFIX_BYTES - 91) {
      struct error err = { 0 };

      failure = (int) kinds[i];
      fail_at = offset;
      assert_int_equal (content_look (&at, CONTENT_SEARCH_USUAL, &content,
                                      &err), -1);
      assert_true (err.kind == kinds[i]);
      content_free (&content);
    }
}

static void
test_domain (void **state)
{
  struct read_at at;
  struct content content;
  struct error err = { 0 };
  char name[256], uuid[40];

  (void) state;
  make_stream (PREFIX_BYTES, false, false);
  put_libvirt ("LibvirtQemudSave", LIBVIRT_FORMAT_SPARSE);
  content = look ();
  at = reader ();
  assert_int_equal (content_domain (&at, &content, name, uuid, &err), 0);
  assert_string_equal (name, "a?<guest>");
  /* A file that ends before its XML does. */
  size = at.size = LIBVIRT_HEADER_BYTES + 8;
  content = look ();
  assert_int_equal (content_domain (&at, &content, name, uuid, &err), 0);
  assert_string_equal (name, "");
}

/* What each verb is told: the row of a kind, by a word of the message or "" where
 * it will do.
 */
static void
check_row (struct content *content, const char *const said[])
{
  static const char *const names[] = {
    "source", "bytes", "image", "expanded", "room"
  };
  size_t i;

  for (i = 0; i < CONTENT_WANTED_KINDS; i++) {
    struct error err = { 0 };
    int result = content_check (content, (enum content_wanted) i, &err);

    if ((result == 0) != (said[i][0] == '\0') ||
        (result < 0 && strstr (err.what, said[i]) == NULL))
      fail_msg ("%s as %s: %s", content_word (content->kind), names[i],
                err.what);
    if (i == CONTENT_AS_ROOM && result < 0)
      assert_int_equal (err.errnum, EEXIST);
    else if (result < 0)
      assert_int_equal (err.kind, ERROR_BAD_INPUT);
    /* Nothing that is half of an only copy is ever to be thrown away. */
    if (content_is_half (content) && content->kind != CONTENT_UNFINISHED_IMAGE)
      assert_true (strstr (err.hint, "keep it") != NULL ||
                   strstr (err.hint, "finishes it") != NULL);
  }
}

static void
test_table (void **state)
{
#define LEFT "left over"
#define NO_IMAGE "not an iopress image"
  static const struct {
    enum content_kind kind;
    const char *said[CONTENT_WANTED_KINDS];
  } rows[] = {
    { CONTENT_EMPTY, { "", "", NO_IMAGE, NO_IMAGE, "" } },
    { CONTENT_ZEROS, { "", "", NO_IMAGE, NO_IMAGE, LEFT } },
    { CONTENT_OTHER, { "", "", NO_IMAGE, NO_IMAGE, LEFT } },
    { CONTENT_SAVE, { "", "", NO_IMAGE, "", LEFT } },
    { CONTENT_PLAIN_SAVE, { "", "", NO_IMAGE, "", LEFT } },
    { CONTENT_PART_SAVE, { "", "", NO_IMAGE, "", LEFT } },
    { CONTENT_UNFINISHED_SAVE, { "cut", "", NO_IMAGE, "cut", LEFT } },
    { CONTENT_IMAGE, { "already", "already", "", "", LEFT } },
    { CONTENT_UNFINISHED_IMAGE, { "already", "already", "", "", LEFT } },
    { CONTENT_DAMAGED_IMAGE, { "cut", "", "cut", "cut", LEFT } },
    { CONTENT_CONSUMED, { "partly", "partly", "partly", "partly", LEFT } },
    { CONTENT_HALF_EXPANDED, { "half", "half", "half", "half", LEFT } },
  };
  size_t i;

  (void) state;
  assert_int_equal (sizeof rows / sizeof rows[0], CONTENT_KINDS);
  for (i = 0; i < CONTENT_KINDS; i++) {
    struct content content = { .kind = rows[i].kind };

    assert_int_equal (content.kind, i);
    if (content.kind == CONTENT_UNFINISHED_SAVE ||
        content.kind == CONTENT_DAMAGED_IMAGE)
      error_set (&content.why, ERROR_BAD_INPUT, 0, "cut");
    check_row (&content, rows[i].said);
    content.marker_damaged = true;
    check_row (&content, rows[i].said);
  }
}

/* The hint of an unfinished image: nobody goes on with what has no source. */
static void
test_hints (void **state)
{
  struct content content = { .kind = CONTENT_UNFINISHED_IMAGE };

  (void) state;
  assert_null (strstr (content_next (&content), "--resume"));
  content.header.compatible = FEATURE_DISCARD;
  assert_non_null (strstr (content_next (&content), "--resume"));
  assert_null (strstr (content_next_of_image (&content.header, true),
                       "--resume"));
  content.header.incompatible = FEATURE_UNORDERED;
  assert_null (strstr (content_next (&content), "--resume"));
  assert_non_null (strstr (content_next (&content), "recover"));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown (test_nothing, tear_down),
    cmocka_unit_test_teardown (test_save, tear_down),
    cmocka_unit_test_teardown (test_plain_save, tear_down),
    cmocka_unit_test_teardown (test_image, tear_down),
    cmocka_unit_test_teardown (test_damaged_image, tear_down),
    cmocka_unit_test_teardown (test_markers, tear_down),
    cmocka_unit_test_teardown (test_guest_is_not_believed, tear_down),
    cmocka_unit_test_teardown (test_scan, tear_down),
    cmocka_unit_test_teardown (test_errors, tear_down),
    cmocka_unit_test_teardown (test_domain, tear_down),
    cmocka_unit_test (test_table),
    cmocka_unit_test (test_hints),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
