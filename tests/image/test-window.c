/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/image/window.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/sample.h"

static uint8_t pages[SAMPLE_CHUNK], source[SAMPLE_CHUNK];

static const struct file_header header = {
  .prefix_bytes = SAMPLE_PREFIX,
  .source_bytes = 8 * SAMPLE_CHUNK,
  .chunk_bytes = SAMPLE_CHUNK,
};

/* What is not in the record is cleared in SOURCE, too. */
static void
test_gather (void **state)
{
  struct window window;
  uint64_t number, page;

  (void) state;
  for (number = 0; number < 4; number++) {
    size_t present = 0;

    sample_window (number, &header, pages, &window);
    memcpy (source, pages, sizeof source);
    if (number == 0)
      memset (source, 0, SAMPLE_PREFIX);
    window_gather (&window, &header);
    for (page = 0; page < SAMPLE_PAGES; page++) {
      const uint8_t *bytes = source + page * PAGE_BYTES;

      assert_int_equal (bitmap_test (window.map, page),
                        !bytes_are_zero (bytes, PAGE_BYTES));
      if (bitmap_test (window.map, page))
        assert_memory_equal (pages + present++ * PAGE_BYTES, bytes,
                             PAGE_BYTES);
    }
    assert_int_equal (window.page_count, present);
  }
}

/* What was gathered goes back to its places, whatever was there. */
static void
test_scatter (void **state)
{
  struct window window;
  uint64_t page;

  (void) state;
  sample_window (1, &header, pages, &window);
  memcpy (source, pages, sizeof source);
  window_gather (&window, &header);
  window_scatter (&window, header.chunk_bytes);
  for (page = 0; page < SAMPLE_PAGES; page++)
    if (bitmap_test (window.map, page))
      assert_memory_equal (pages + page * PAGE_BYTES,
                           source + page * PAGE_BYTES, PAGE_BYTES);
  memset (window.map, 0, sizeof window.map);
  window.page_count = 0;
  window_scatter (&window, header.chunk_bytes);
}

/* Pages that come from elsewhere, and only some of them. */
static void
test_gather_run (void **state)
{
  struct window window;
  uint8_t *end;

  (void) state;
  sample_window (1, &header, pages, &window);
  memcpy (source, pages, sizeof source);
  end = window_gather_run (&window, &header, pages + 5 * PAGE_BYTES, 5, 10,
                           pages + PAGE_BYTES);
  assert_ptr_equal (end, pages + 3 * PAGE_BYTES);
  assert_memory_equal (pages + PAGE_BYTES, source + 6 * PAGE_BYTES,
                       PAGE_BYTES);
  assert_memory_equal (pages + 2 * PAGE_BYTES, source + 9 * PAGE_BYTES,
                       PAGE_BYTES);
  assert_false (bitmap_test (window.map, 5));
  assert_true (bitmap_test (window.map, 6));
  assert_true (bitmap_test (window.map, 10));
}

/* A page that holds nothing but the prefix is no page of the record. */
static void
test_prefix_alone (void **state)
{
  struct window window;

  (void) state;
  sample_window (0, &header, pages, &window);
  memset (pages + SAMPLE_PREFIX, 0, 2 * PAGE_BYTES - SAMPLE_PREFIX);
  window_gather (&window, &header);
  assert_false (bitmap_test (window.map, 1));
  assert_true (bitmap_test (window.map, 2));
  assert_int_equal (window.page_count, SAMPLE_PAGES - 2);
}

static void
test_copy (void **state)
{
  static const size_t offsets[] = {
    0, 1, 4095, 4096, 4097, 8191, 12288, 20000, 40960, 65535, 65536,
  };
  uint8_t *copy = malloc (SAMPLE_CHUNK);
  struct window window;
  size_t i, j;

  (void) state;
  sample_window (1, &header, pages, &window);
  memcpy (source, pages, sizeof source);
  window_gather (&window, &header);
  for (i = 0; i < sizeof offsets / sizeof offsets[0]; i++)
    for (j = i; j < sizeof offsets / sizeof offsets[0]; j++) {
      size_t length = offsets[j] - offsets[i];

      memset (copy, 0xee, SAMPLE_CHUNK);
      window_copy (&window, offsets[i], copy, length);
      assert_memory_equal (copy, source + offsets[i], length);
      if (length < SAMPLE_CHUNK)
        assert_int_equal (copy[length], 0xee);
    }
  free (copy);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_gather),
    cmocka_unit_test (test_scatter),
    cmocka_unit_test (test_gather_run),
    cmocka_unit_test (test_prefix_alone),
    cmocka_unit_test (test_copy),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
