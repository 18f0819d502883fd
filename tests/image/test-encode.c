/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/image/encode.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/sample.h"
#include "lib/assert_error.h"
#include "util/checksum.h"

static uint8_t pages[SAMPLE_CHUNK];
static struct file_header header;
static struct encoding encoding;
static uint8_t *record;

static int
set_up (void **state)
{
  (void) state;
  sample_codec_reset ();
  header = sample_header (8 * SAMPLE_CHUNK);
  encoding = (struct encoding) {
    .header = &header,
    .codec = &sample_codec_loaded,
  };
  record = malloc (encoding_room (&encoding));
  return record != NULL ? 0 : -1;
}

static int
tear_down (void **state)
{
  (void) state;
  free (record);
  return 0;
}

static int
encode (uint64_t number, struct window *window, struct error *err)
{
  struct encoder *encoder = NULL;
  int result;

  assert_int_equal (encoder_open (&encoding, &encoder, err), 0);
  sample_window (number, &header, pages, window);
  window_gather (window, &header);
  result = encode_window (encoder, window, record, err);
  encoder_close (encoder);
  assert_int_equal (atomic_load (&sample_codec.contexts), 0);
  return result;
}

/* What stands in RECORD is what the window says, and belongs to the image. */
static void
check_record (const struct window *window)
{
  uint8_t again[RECORD_HEADER_BYTES];
  struct record_header found, header_now = window->header;
  struct error err = { 0 };

  assert_ptr_equal (window->record, record);
  assert_int_equal (record_header_decode (record, &found, &err), 0);
  record_header_encode (&header_now, again);
  assert_memory_equal (again, record, sizeof again);
  assert_true (record_belongs (&found, &header));
  assert_int_equal (found.window, window->number);
  assert_int_equal (record_bytes (&found), window->record_bytes);
  assert_int_equal (record_body_check (&found, record + RECORD_HEADER_BYTES,
                                       &err), 0);
  assert_int_equal (found.raw_bytes, window->page_count * PAGE_BYTES);
  assert_int_equal (found.raw_checksum,
                    checksum (window->pages, found.raw_bytes));
}

static void
test_frame (void **state)
{
  struct window window;
  struct error err = { 0 };

  (void) state;
  assert_int_equal (encode (0, &window, &err), 0);
  check_record (&window);
  assert_int_equal (window.header.flags, 0);
  assert_true (window.header.payload_bytes < window.header.raw_bytes);
}

/* Pages that the codec cannot make smaller, and pages without a codec. */
static void
test_stored (void **state)
{
  uint8_t *payload = record + record_overhead_bytes (SAMPLE_CHUNK);
  struct window window;
  struct error err = { 0 };

  (void) state;
  assert_int_equal (encode (2, &window, &err), 0);
  check_record (&window);
  assert_int_equal (window.header.flags, RECORD_STORED);
  assert_memory_equal (payload, window.pages, SAMPLE_CHUNK);
  encoding.codec = NULL;
  assert_int_equal (encode (1, &window, &err), 0);
  check_record (&window);
  assert_int_equal (window.header.flags, RECORD_STORED);
  assert_true (encoding_room (&encoding) >= record_bytes_max (SAMPLE_CHUNK));
}

static void
test_nothing (void **state)
{
  struct window window;
  struct error err = { 0 };

  (void) state;
  window.record_bytes = 1;
  assert_int_equal (encode (3, &window, &err), 0);
  assert_int_equal (window.record_bytes, 0);
}

static void
test_codec_fails (void **state)
{
  struct window window;
  struct error err = { 0 };

  (void) state;
  atomic_store (&sample_codec.fails, true);
  assert_int_equal (encode (0, &window, &err), -1);
  assert_error (&err, ERROR_FAILED, "cannot compress: it was told to fail");
  assert_int_equal (window.record_bytes, 0);
}

/* Only who verifies finds out. */
static void
test_codec_lies (void **state)
{
  struct window window;
  struct error err = { 0 };

  (void) state;
  atomic_store (&sample_codec.lies, true);
  assert_int_equal (encode (0, &window, &err), 0);
  encoding.verify = true;
  assert_int_equal (encode (0, &window, &err), -1);
  assert_error (&err, ERROR_FAILED, "does not give back what it was given");
  assert_int_equal (window.record_bytes, 0);
}

static void
test_cannot_open (void **state)
{
  struct encoder *encoder = NULL;
  struct error err = { 0 };

  (void) state;
  atomic_store (&sample_codec.cannot_open, true);
  assert_int_equal (encoder_open (&encoding, &encoder, &err), -1);
  assert_error (&err, ERROR_FAILED, "cannot set up the codec sample");
  assert_null (encoder);
}

static atomic_int levels;

static int
set_level (struct iopress_codec_context *context, int level)
{
  (void) context;
  if (level > 10)
    return -1;
  atomic_store (&levels, level);
  return 0;
}

/* One context a worker, which goes on at the level that it has. */
static void
test_set_level (void **state)
{
  struct codec codec = sample_codec_loaded;
  struct encoder *encoder = NULL;
  struct error err = { 0 };
  struct window window;

  (void) state;
  codec.ops.set_level = set_level;
  encoding.codec = &codec;
  assert_int_equal (encoder_open (&encoding, &encoder, &err), 0);
  encoder_set_level (encoder, 3);
  assert_int_equal (atomic_load (&levels), 0);
  encoder_set_level (encoder, 5);
  assert_int_equal (atomic_load (&levels), 5);
  encoder_set_level (encoder, 11);
  encoder_set_level (encoder, 5);
  encoder_set_level (encoder, 3);
  assert_int_equal (atomic_load (&levels), 3);
  encoder_set_level (encoder, 11);
  assert_int_equal (atomic_load (&levels), 3);
  assert_int_equal (atomic_load (&sample_codec.opened), 3);
  assert_int_equal (atomic_load (&sample_codec.contexts), 1);
  sample_window (0, &header, encoder_pages (encoder), &window);
  window_gather (&window, &header);
  assert_int_equal (encode_window (encoder, &window, record, &err), 0);
  check_record (&window);
  encoder_close (encoder);
  encoder_close (NULL);
  assert_int_equal (atomic_load (&sample_codec.contexts), 0);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_frame, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_stored, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_nothing, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_codec_fails, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_codec_lies, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_cannot_open, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_set_level, set_up, tear_down),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
