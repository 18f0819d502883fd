/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/image/decode.c. */

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

static uint8_t pages[SAMPLE_CHUNK], source[SAMPLE_CHUNK];
static struct file_header header;
static struct decoding decoding;
static uint8_t *record;
static struct index_entry entry;
static struct window window;

static void
encode (uint64_t number, const struct codec *codec)
{
  const struct encoding encoding = { .header = &header, .codec = codec };
  struct encoder *encoder = NULL;
  struct error err = { 0 };

  free (record);
  record = malloc (encoding_room (&encoding));
  assert_non_null (record);
  assert_int_equal (encoder_open (&encoding, &encoder, &err), 0);
  sample_window (number, &header, pages, &window);
  memcpy (source, pages, sizeof source);
  window_gather (&window, &header);
  assert_int_equal (encode_window (encoder, &window, record, &err), 0);
  encoder_close (encoder);
  entry = index_entry_of (&window.header, 8192);
  window = (struct window) {
    .number = number,
    .pages = pages,
    .record = record,
    .record_bytes = entry.record_bytes,
  };
}

static int
decode (struct error *err)
{
  struct decoder *decoder = NULL;
  int result;

  *err = (struct error) { 0 };
  memset (pages, 0xee, sizeof pages);
  assert_int_equal (decoder_open (&decoding, &decoder, err), 0);
  result = decode_window (decoder, &window, &entry, err);
  decoder_close (decoder);
  assert_int_equal (atomic_load (&sample_codec.contexts), 0);
  return result;
}

/* It is refused, and the message names window and image. */
static void
check_refused (const char *text)
{
  struct error err;

  assert_int_equal (decode (&err), -1);
  assert_error (&err, ERROR_BAD_INPUT, text);
  assert_non_null (strstr (err.what, "window "));
  assert_string_equal (err.subject, "IMAGE");
}

static int
set_up (void **state)
{
  (void) state;
  sample_codec_reset ();
  header = sample_header (8 * SAMPLE_CHUNK + 9000);
  decoding = (struct decoding) {
    .header = &header,
    .codec = &sample_codec_loaded,
    .name = "IMAGE",
  };
  encode (0, &sample_codec_loaded);
  return 0;
}

static int
tear_down (void **state)
{
  (void) state;
  free (record);
  record = NULL;
  return 0;
}

static void
test_round_trip (void **state)
{
  uint8_t *copy = malloc (SAMPLE_CHUNK);
  struct error err;
  uint64_t number;

  (void) state;
  for (number = 0; number < 9; number++)
    if (sample_has_window (number)) {
      encode (number, number == 4 ? NULL : &sample_codec_loaded);
      assert_int_equal (decode (&err), 0);
      window_copy (&window, 0, copy, SAMPLE_CHUNK);
      if (number == 0)
        memset (source, 0, SAMPLE_PREFIX);
      assert_memory_equal (copy, source, SAMPLE_CHUNK);
    }
  free (copy);
}

/* The page that the prefix ends in has the prefix that IMAGE has now. */
static void
test_prefix (void **state)
{
  uint8_t prefix[SAMPLE_PREFIX];
  struct error err;

  (void) state;
  memset (prefix, 'p', sizeof prefix);
  decoding.prefix = prefix;
  assert_int_equal (decode (&err), 0);
  assert_false (bitmap_test (window.map, 0));
  assert_memory_equal (pages, prefix + PAGE_BYTES,
                       SAMPLE_PREFIX - PAGE_BYTES);
  assert_memory_equal (pages + SAMPLE_PREFIX - PAGE_BYTES,
                       source + SAMPLE_PREFIX,
                       2 * PAGE_BYTES - SAMPLE_PREFIX);
}

/* Each byte counts. */
static void
test_flip (void **state)
{
  struct error err;
  size_t i, length = window.record_bytes;

  (void) state;
  for (i = 0; i < length; i++) {
    record[i] ^= 0x10;
    assert_int_equal (decode (&err), -1);
    assert_int_equal (err.kind, ERROR_BAD_INPUT);
    record[i] ^= 0x10;
  }
  assert_int_equal (decode (&err), 0);
}

/* A whole record, but not the one that was asked for. */
static void
test_another (void **state)
{
  struct index_entry right = entry;

  (void) state;
  window.number = 1;
  check_refused ("is not the one that the index names");
  window.number = 0;
  entry.header_checksum++;
  check_refused ("is not the one that the index names");
  entry = right;
  entry.page_count--;
  check_refused ("is not the one that the index names");
  entry = right;
  window.record_bytes--;
  check_refused ("is not the one that the index names");
  window.record_bytes = RECORD_HEADER_BYTES - 1;
  check_refused ("no record");
  window.record_bytes = right.record_bytes;
  header.image_id[0]++;
  check_refused ("belongs to another image");
}

static void
test_codec (void **state)
{
  struct error err;

  (void) state;
  atomic_store (&sample_codec.lies, true);
  check_refused ("the checksum of its pages is wrong");
  /* Nothing is decompressed. */
  decoding.fast = true;
  assert_int_equal (decode (&err), 0);
  assert_int_equal (pages[0], 0xee);
  decoding.fast = false;
  decoding.codec = NULL;
  check_refused ("in an image without codec");
  encode (0, NULL);
  assert_int_equal (decode (&err), 0);
}

/* The last page has a byte more than the source. */
static void
test_behind_the_end (void **state)
{
  struct record_header changed;
  struct error err = { 0 };

  (void) state;
  encode (8, &sample_codec_loaded);
  assert_int_equal (decode (&err), 0);
  changed = window.header;
  changed.source_bytes = --header.source_bytes;
  record_header_encode (&changed, record);
  entry = index_entry_of (&changed, 8192);
  check_refused ("data after the end of the source");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_round_trip, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_prefix, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_flip, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_another, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_codec, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_behind_the_end, set_up, tear_down),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
