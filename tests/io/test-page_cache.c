/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/io/page_cache.c. */

#include <config.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/page_cache.h"
#include "io/scratch.h"
#include "util/bytes.h"

/* 40 pages and a part of one, with a hole of pages 8 to 15. */
#define PAGES 41u
#define SIZE ((size_t) 40 * PAGE_BYTES + 1234)
#define HOLE_FIRST 8u
#define HOLE_END 16u

struct sample {
  struct file file;
  struct page_cache *cache;
  int buffered;                /* the same file through the page cache */
};

static void
sample_open (struct sample *sample)
{
  struct error err = { 0 };
  const char *path = scratch_file ("file", SIZE);

  sample->buffered = open (path, O_RDWR | O_CLOEXEC);
  assert_true (sample->buffered >= 0);
  scratch_open (path, DIRECT_IO_ON, &sample->file);
  assert_int_equal (file_punch (&sample->file, HOLE_FIRST * PAGE_BYTES,
                                (HOLE_END - HOLE_FIRST) * PAGE_BYTES, &err),
                    0);
  assert_int_equal (fdatasync (sample->buffered), 0);
  assert_int_equal (posix_fadvise (sample->buffered, 0, 0,
                                   POSIX_FADV_DONTNEED), 0);
  sample->cache = page_cache_open (&sample->file, true);
  assert_non_null (sample->cache);
}

static void
sample_close (struct sample *sample)
{
  page_cache_close (sample->cache);
  close (sample->buffered);
  scratch_close (&sample->file);
}

/* Bring pages FIRST to END - 1 into the page cache, and no others. */
static void
warm (const struct sample *sample, uint32_t first, uint32_t end)
{
  size_t length = (size_t) (end - first) * PAGE_BYTES;
  uint8_t *bytes = malloc (length);

  assert_non_null (bytes);
  posix_fadvise (sample->buffered, 0, 0, POSIX_FADV_RANDOM);
  assert_true (pread (sample->buffered, bytes, length,
                      (off_t) first * (off_t) PAGE_BYTES) > 0);
  free (bytes);
}

static uint32_t
count_set (const uint8_t *map)
{
  return (uint32_t) bitmap_count (map, 0, PAGES);
}

static void
test_cold (void **state)
{
  uint8_t map[PAGES / 8 + 8];
  struct sample sample;

  (void) state;
  sample_open (&sample);
  memset (map, 0xff, sizeof map);
  assert_false (page_cache_holds (sample.cache, 0, PAGES, map));
  assert_int_equal (count_set (map), PAGES);
  /* A look does not bring anything in. */
  assert_false (page_cache_holds (sample.cache, 0, PAGES, map));
  sample_close (&sample);
}

/* All that is in no hole is there; holes lose their bits. */
static void
test_hot (void **state)
{
  uint8_t map[PAGES / 8 + 8];
  struct sample sample;
  uint32_t page;

  (void) state;
  sample_open (&sample);
  warm (&sample, 0, HOLE_FIRST);
  warm (&sample, HOLE_END, PAGES);
  memset (map, 0xff, sizeof map);
  assert_true (page_cache_holds (sample.cache, 0, PAGES, map));
  for (page = 0; page < PAGES; page++)
    assert_int_equal (bitmap_test (map, page),
                      page < HOLE_FIRST || page >= HOLE_END);
  /* From the middle of the hole on. */
  memset (map, 0xff, sizeof map);
  assert_true (page_cache_holds (sample.cache, 12 * PAGE_BYTES, 8, map));
  assert_false (bitmap_test (map, 3));
  assert_true (bitmap_test (map, 4));
  sample_close (&sample);
}

/* Holes that are not to be passed over keep their bits. */
static void
test_doubted_holes (void **state)
{
  uint8_t map[PAGES / 8 + 8];
  struct sample sample;

  (void) state;
  sample_open (&sample);
  page_cache_close (sample.cache);
  sample.cache = page_cache_open (&sample.file, false);
  warm (&sample, 0, HOLE_FIRST);
  warm (&sample, HOLE_END, PAGES);
  memset (map, 0xff, sizeof map);
  assert_true (page_cache_holds (sample.cache, 0, PAGES, map));
  assert_int_equal (count_set (map), PAGES);
  /* Nothing but a hole. */
  assert_false (page_cache_holds (sample.cache, HOLE_FIRST * PAGE_BYTES, 2,
                                  map));
  sample_close (&sample);
}

/* What nobody wants need not be there. */
static void
test_partly (void **state)
{
  uint8_t map[PAGES / 8 + 8];
  struct sample sample;
  uint32_t page;

  (void) state;
  sample_open (&sample);
  warm (&sample, 20, 30);
  memset (map, 0, sizeof map);
  for (page = 20; page < 30; page++)
    bitmap_set (map, page);
  assert_true (page_cache_holds (sample.cache, 0, PAGES, map));
  assert_int_equal (count_set (map), 10);
  bitmap_set (map, 19);
  assert_false (page_cache_holds (sample.cache, 0, PAGES, map));
  assert_int_equal (count_set (map), 11);
  sample_close (&sample);
}

static void
check_read (const struct sample *sample, size_t offset, size_t length)
{
  struct error err = { 0 };
  uint8_t *bytes = malloc (length);
  size_t i;

  assert_non_null (bytes);
  memset (bytes, 0xee, length);
  assert_int_equal (page_cache_read (sample->cache, offset, bytes, length,
                                     &err), 0);
  for (i = 0; i < length; i++) {
    size_t at = offset + i;
    bool hole = at >= HOLE_FIRST * PAGE_BYTES && at < HOLE_END * PAGE_BYTES;

    assert_int_equal (bytes[i], hole || at >= SIZE ? 0 : pattern_byte (at));
  }
  free (bytes);
}

/* In the cache or not, across the hole, past the end. */
static void
test_read (void **state)
{
  struct sample sample;

  (void) state;
  sample_open (&sample);
  check_read (&sample, 0, PAGES * PAGE_BYTES);
  warm (&sample, 0, PAGES);
  check_read (&sample, 0, PAGES * PAGE_BYTES);
  check_read (&sample, 7 * PAGE_BYTES + 5, 10 * PAGE_BYTES);
  check_read (&sample, 40 * PAGE_BYTES, PAGE_BYTES);
  check_read (&sample, 48 * PAGE_BYTES, PAGE_BYTES);
  sample_close (&sample);
}

/* A file that is read through the page cache anyway, and an empty one. */
static void
test_no_use (void **state)
{
  struct file file;

  (void) state;
  scratch_open (scratch_file ("file", SIZE), DIRECT_IO_OFF, &file);
  assert_null (page_cache_open (&file, true));
  scratch_close (&file);
  scratch_open (scratch_file ("empty", 0), DIRECT_IO_AUTO, &file);
  assert_null (page_cache_open (&file, true));
  scratch_close (&file);
  page_cache_close (NULL);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_cold),
    cmocka_unit_test (test_hot),
    cmocka_unit_test (test_doubted_holes),
    cmocka_unit_test (test_partly),
    cmocka_unit_test (test_read),
    cmocka_unit_test (test_no_use),
  };

  return cmocka_run_group_tests (tests, scratch_setup, scratch_teardown);
}
