/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/image/image_view.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/image_view.h"
#include "image/sample.h"
#include "io/scratch.h"
#include "lib/assert_error.h"

static struct sample sample;
static struct image_view *view;
static uint8_t buffer[4 * SAMPLE_CHUNK];

static void
open_view (enum direct_io direct)
{
  struct error err = { 0 };

  sample_open (&sample, direct);
  assert_int_equal (image_view_open (sample.image, &sample.decoding, NULL,
                                     &view, &err), 0);
}

static int
set_up (void **state)
{
  (void) state;
  open_view (DIRECT_IO_AUTO);
  return 0;
}

static int
tear_down (void **state)
{
  (void) state;
  image_view_close (view);
  sample_close (&sample);
  return 0;
}

static void
check_read (uint64_t offset, size_t length)
{
  struct error err = { 0 };

  memset (buffer, 0xee, sizeof buffer);
  if (image_view_read (view, offset, buffer, length, &err) < 0)
    fail_msg ("%s", err.what);
  sample_check (offset, buffer, length);
  if (length < sizeof buffer)
    assert_int_equal (buffer[length], 0xee);
}

/* All of it in pieces of one length: across the borders of prefix, page and
 * window, and of windows without a record.
 */
static void
check_all (size_t length)
{
  uint64_t offset, size = sample.image->header.source_bytes;

  for (offset = 0; offset < size; offset += length)
    check_read (offset, (size_t) minimum_u64 (length, size - offset));
}

static void
test_all (void **state)
{
  (void) state;
  check_all (3 * SAMPLE_CHUNK);
  check_all (SAMPLE_CHUNK);
  check_all (4096);
  check_all (70001);
  check_all (5003);
}

static void
test_modes (void **state)
{
  static const enum direct_io modes[] = { DIRECT_IO_OFF, DIRECT_IO_AUTO };
  size_t i;

  (void) state;
  for (i = 0; i < sizeof modes / sizeof modes[0]; i++) {
    open_view (modes[i]);
    check_all (3 * SAMPLE_CHUNK + 1);
    tear_down (NULL);
  }
}

static void
test_bounds (void **state)
{
  uint64_t size = sample.image->header.source_bytes;
  struct error err = { 0 };

  (void) state;
  check_read (size, 0);
  check_read (size - 1, 1);
  assert_int_equal (image_view_read (view, size - 1, buffer, 2, &err), -1);
  assert_error (&err, ERROR_BAD_INPUT, "the source ends before");
  err = (struct error) { 0 };
  assert_int_equal (image_view_read (view, UINT64_MAX, buffer, 2, &err), -1);
  assert_error (&err, ERROR_BAD_INPUT, "the source ends before");
}

/* virsh edits the prefix in its place. */
static void
test_edited_prefix (void **state)
{
  struct error err = { 0 };

  (void) state;
  memset (sample.image->prefix, 'x', SAMPLE_PREFIX);
  assert_int_equal (image_view_read (view, 4000, buffer, 8192, &err), 0);
  assert_int_equal (buffer[0], 'x');
  assert_int_equal (buffer[SAMPLE_PREFIX - 4000 - 1], 'x');
  sample_check (SAMPLE_PREFIX, buffer + SAMPLE_PREFIX - 4000,
                8192 - (SAMPLE_PREFIX - 4000));
}

static void
test_next_data (void **state)
{
  struct read_at at = read_at_of_view (view);
  uint64_t chunk = SAMPLE_CHUNK, size = sample.image->header.source_bytes;
  struct error err = { 0 };

  (void) state;
  assert_int_equal (at.size, size);
  assert_int_equal (at.next_data (at.opaque, 17), 17);
  assert_int_equal (at.next_data (at.opaque, chunk + 17), chunk + 17);
  assert_int_equal (at.next_data (at.opaque, 3 * chunk), 4 * chunk);
  assert_int_equal (at.next_data (at.opaque, 4 * chunk - 1), 4 * chunk);
  assert_int_equal (at.next_data (at.opaque, size - 1), size - 1);
  assert_int_equal (at.next_data (at.opaque, size + 5 * chunk), size);
  assert_int_equal (at.read (at.opaque, 5, buffer, 70000, &err), 0);
  sample_check (5, buffer, 70000);
}

/* Wherever the damage is, none of the record's bytes come, time and again; those
 * of the others do, and all when it is gone.
 */
static void
test_damage (void **state)
{
  static const size_t places[] = { 0, 10, 79, 80, 90, 200 };
  uint64_t window = 4, start = window * SAMPLE_CHUNK;
  uint64_t entry = sample_entry (&sample, window);
  size_t i, again;

  (void) state;
  for (i = 0; i < sizeof places / sizeof places[0]; i++) {
    sample_damage (&sample, entry, places[i]);
    for (again = 0; again < 3; again++) {
      struct error err = { 0 };

      assert_int_equal (image_view_read (view, start - 5, buffer, 10, &err),
                        -1);
      assert_error (&err, ERROR_BAD_INPUT, "window 4: ");
      assert_string_equal (err.subject, sample.file.name);
      check_read (start - 5, 5);
      check_read (start + SAMPLE_CHUNK, 5000);
    }
    sample_damage (&sample, entry, places[i]);
    check_read (start - 5, 10);
    /* Something else is decoded before the next damage. */
    check_read (0, SAMPLE_CHUNK);
  }
}

/* The file was cut since its index was read. */
static void
test_cut (void **state)
{
  uint64_t last = SAMPLE_WINDOWS - 1;
  const struct index_entry *entry =
    &sample.image->entries[sample_entry (&sample, last)];
  struct error err = { 0 };

  (void) state;
  assert_int_equal (file_truncate (&sample.file, entry->offset + 40, &err),
                    0);
  assert_int_equal (image_view_read (view, last * SAMPLE_CHUNK, buffer, 1,
                                     &err), -1);
  assert_int_equal (err.kind, ERROR_BAD_INPUT);
  check_read (0, SAMPLE_CHUNK);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_all, set_up, tear_down),
    cmocka_unit_test (test_modes),
    cmocka_unit_test_setup_teardown (test_bounds, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_edited_prefix, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_next_data, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_damage, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_cut, set_up, tear_down),
  };

  return cmocka_run_group_tests (tests, scratch_setup, scratch_teardown);
}
