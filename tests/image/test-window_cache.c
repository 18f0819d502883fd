/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/image/window_cache.c. */

#include <config.h>

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "image/sample.h"
#include "image/window_cache.h"
#include "io/scratch.h"
#include "lib/assert_error.h"

#define THREADS 6u
#define READS 300u

static struct sample sample;
static struct window_cache *cache;

/* How often a thread has begun to wait: it holds the lock until it does. */
static atomic_uint waits;

int
pthread_cond_wait (pthread_cond_t *condition, pthread_mutex_t *lock)
{
  const struct timespec never = { .tv_sec = INT32_MAX };

  atomic_fetch_add (&waits, 1);
  return pthread_cond_timedwait (condition, lock, &never);
}

static int
set_up (void **state)
{
  (void) state;
  sample_open (&sample, DIRECT_IO_AUTO);
  return 0;
}

static int
tear_down (void **state)
{
  (void) state;
  window_cache_close (cache);
  cache = NULL;
  sample_close (&sample);
  return 0;
}

/* A cache that keeps KEPT windows, as many as may not be outweighed by readers
 * and helpers.
 */
static void
open_cache (unsigned int kept, unsigned int readers, unsigned int helpers)
{
  /* To decode one takes a window and a record. */
  uint64_t workplace = window_cache_least (SAMPLE_CHUNK) - SAMPLE_CHUNK;
  struct window_cache_options options = {
    .memory_bytes = kept * (uint64_t) SAMPLE_CHUNK +
      (readers + helpers) * workplace,
    .readers = readers,
    .helpers = helpers,
  };
  struct error err = { 0 };

  assert_int_equal (window_cache_open (sample.image, &sample.decoding,
                                       &options, &cache, &err), 0);
}

/* Some bytes of WINDOW, as the source has them. */
static void
check_window (uint64_t window, size_t from, size_t length)
{
  uint8_t *bytes = malloc (length);
  struct error err = { 0 };

  assert_non_null (bytes);
  if (window_cache_read (cache, sample_entry (&sample, window), from, bytes,
                         length, &err) < 0)
    fail_msg ("%s", err.what);
  /* The records have no prefix. */
  if (window > 0 || from >= SAMPLE_PREFIX)
    sample_check (window * SAMPLE_CHUNK + from, bytes, length);
  else
    assert_true (bytes_are_zero (bytes, (size_t)
                                 minimum_u64 (length, SAMPLE_PREFIX - from)));
  free (bytes);
}

static unsigned int
times_decoded (uint64_t window)
{
  return atomic_load (&sample_codec.decompressed[window]);
}

static void
test_memory (void **state)
{
  struct window_cache_options options = {
    .memory_bytes = window_cache_least (SAMPLE_CHUNK) - 1,
    .readers = 4,
    .helpers = 4,
  };
  struct error err = { 0 };

  (void) state;
  assert_int_equal (window_cache_open (sample.image, &sample.decoding,
                                       &options, &cache, &err), -1);
  assert_error (&err, ERROR_USAGE, "bytes of memory");
  assert_null (cache);
  /* The least is enough for one reader. */
  options.memory_bytes++;
  err = (struct error) { 0 };
  assert_int_equal (window_cache_open (sample.image, &sample.decoding,
                                       &options, &cache, &err), 0);
  assert_int_equal (atomic_load (&sample_codec.contexts), 1);
  check_window (0, 0, SAMPLE_CHUNK);
  check_window (4, 0, SAMPLE_CHUNK);
}

static void
test_codec_cannot_open (void **state)
{
  struct window_cache_options options = {
    .memory_bytes = 100 * SAMPLE_CHUNK,
    .readers = 2,
    .helpers = 2,
  };
  struct error err = { 0 };

  (void) state;
  atomic_store (&sample_codec.cannot_open, true);
  assert_int_equal (window_cache_open (sample.image, &sample.decoding,
                                       &options, &cache, &err), -1);
  assert_error (&err, ERROR_FAILED, "cannot set up the codec");
  assert_null (cache);
}

/* What is kept is not decoded again; what was not used for longest goes. */
static void
test_kept (void **state)
{
  (void) state;
  open_cache (3, 1, 0);
  check_window (0, 100, 1);
  check_window (1, 100, 1);
  check_window (4, 100, 1);
  check_window (0, 60000, 1000);
  assert_int_equal (times_decoded (0), 1);
  check_window (5, 0, SAMPLE_CHUNK);
  check_window (0, 0, SAMPLE_CHUNK);
  check_window (4, 0, SAMPLE_CHUNK);
  check_window (5, 0, SAMPLE_CHUNK);
  assert_int_equal (times_decoded (0), 1);
  assert_int_equal (times_decoded (4), 1);
  assert_int_equal (times_decoded (5), 1);
  check_window (1, 0, SAMPLE_CHUNK);
  assert_int_equal (times_decoded (1), 2);
  check_window (0, 0, 1);
  assert_int_equal (times_decoded (0), 2);
}

/* Fewer windows are kept than are asked for in turn: all come, each time. */
static void
test_smaller_than_needed (void **state)
{
  unsigned int round;
  uint64_t window;

  (void) state;
  open_cache (2, 1, 0);
  for (round = 1; round <= 3; round++)
    for (window = 0; window < SAMPLE_WINDOWS - 1; window++)
      if (sample_has_window (window)) {
        check_window (window, 4000, 5000);
        if (window % 4 != 2)
          assert_int_equal (times_decoded (window), round);
      }
}

/* Nothing wrong is kept, and what is right is not forgotten. */
static void
test_damage (void **state)
{
  uint64_t entry = sample_entry (&sample, 4);
  unsigned int again;

  (void) state;
  open_cache (3, 2, 0);
  check_window (0, 0, 100);
  sample_damage (&sample, entry, 90);
  for (again = 0; again < 5; again++) {
    uint8_t bytes[10] = "untouched";
    struct error err = { 0 };

    assert_int_equal (window_cache_read (cache, entry, 5, bytes, 5, &err),
                      -1);
    assert_error (&err, ERROR_BAD_INPUT, "window 4: ");
    assert_string_equal ((char *) bytes, "untouched");
  }
  check_window (0, 0, 100);
  assert_int_equal (times_decoded (0), 1);
  sample_damage (&sample, entry, 90);
  check_window (4, 0, SAMPLE_CHUNK);
  /* What is kept was checked when it came. */
  sample_damage (&sample, entry, 90);
  check_window (4, 0, SAMPLE_CHUNK);
}

struct reader {
  pthread_t thread;
  uint64_t seed;
  uint64_t damaged;            /* this window fails, always */
  bool ascending;
  unsigned int failures, wrong;
};

/* No assertions in other threads. */
static void *
read_some (void *opaque)
{
  struct reader *reader = opaque;
  uint8_t *bytes = malloc (SAMPLE_CHUNK);
  uint64_t random = reader->seed;
  unsigned int i;

  for (i = 0; bytes != NULL && i < READS; i++) {
    uint64_t window, j;
    size_t from, length;
    struct error err = { 0 };
    int result;

    random = random * UINT64_C (6364136223846793005) + 1442695040888963407;
    window = (reader->ascending ? i / 4 : random >> 40) %
      (SAMPLE_WINDOWS - 1);
    if (!sample_has_window (window))
      continue;
    from = (random >> 13) % SAMPLE_CHUNK;
    length = (random >> 29) % (SAMPLE_CHUNK - from) % 9000 + 1;
    result = window_cache_read (cache, sample_entry (&sample, window), from,
                                bytes, length, &err);
    reader->failures += result < 0;
    reader->wrong += (result < 0) != (window == reader->damaged);
    for (j = 0; result == 0 && j < length; j++)
      if (window > 0 || from + j >= SAMPLE_PREFIX)
        reader->wrong += bytes[j] !=
          sample_byte (window * SAMPLE_CHUNK + from + j);
  }
  free (bytes);
  return NULL;
}

/* Many readers, some of whom read on, and one window that fails. */
static void
run_readers (uint64_t damaged)
{
  struct reader readers[THREADS];
  unsigned int i, failures = 0;

  for (i = 0; i < THREADS; i++) {
    readers[i] = (struct reader) {
      .seed = i + 1,
      .damaged = damaged,
      .ascending = i % 2 == 0,
    };
    assert_int_equal (pthread_create (&readers[i].thread, NULL, read_some,
                                      &readers[i]), 0);
  }
  for (i = 0; i < THREADS; i++) {
    pthread_join (readers[i].thread, NULL);
    assert_int_equal (readers[i].wrong, 0);
    failures += readers[i].failures;
  }
  assert_int_equal (failures > 0, damaged < SAMPLE_WINDOWS);
}

static void
test_threads (void **state)
{
  static const struct { unsigned int kept, readers, helpers; } shapes[] = {
    { 1, 1, 0 }, { 2, 1, 0 }, { 8, 4, 0 }, { 12, 3, 3 }, { 64, 6, 2 },
  };
  size_t i;

  (void) state;
  for (i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    open_cache (shapes[i].kept, shapes[i].readers, shapes[i].helpers);
    run_readers (UINT64_MAX);
    window_cache_close (cache);
    cache = NULL;
  }
}

static void
test_threads_and_damage (void **state)
{
  (void) state;
  sample_damage (&sample, sample_entry (&sample, 5), 100);
  open_cache (8, 3, 2);
  run_readers (5);
}

static void *
read_held (void *opaque)
{
  uint64_t *window = opaque;
  uint8_t byte;
  struct error err = { 0 };

  if (window_cache_read (cache, sample_entry (&sample, *window), 7000, &byte,
                         1, &err) < 0 ||
      byte != sample_byte (*window * SAMPLE_CHUNK + 7000))
    *window = UINT64_MAX;
  return NULL;
}

static void
wait_until_decoded (uint64_t window, unsigned int times)
{
  while (times_decoded (window) < times)
    sched_yield ();
}

/* While some decode, others have what is there, and who finds all workplaces
 * taken does not hold up those who need none.
 */
static void
test_held_up (void **state)
{
  uint64_t slow = 8, second = 8, third = 12;
  pthread_t first, same, other;

  (void) state;
  open_cache (4, 1, 0);
  check_window (0, 0, SAMPLE_CHUNK);
  atomic_store (&sample_codec.held, 8);
  pthread_create (&first, NULL, read_held, &slow);
  wait_until_decoded (8, 1);
  pthread_create (&same, NULL, read_held, &second);
  pthread_create (&other, NULL, read_held, &third);
  check_window (0, 0, SAMPLE_CHUNK);
  assert_int_equal (times_decoded (12), 0);
  atomic_store (&sample_codec.held, SAMPLE_HELD_NONE);
  pthread_join (first, NULL);
  pthread_join (same, NULL);
  pthread_join (other, NULL);
  assert_int_equal (slow, 8);
  assert_int_equal (second, 8);
  assert_int_equal (third, 12);
  /* Two asked for it, and one decoded it. */
  assert_int_equal (times_decoded (8), 1);
  assert_int_equal (times_decoded (0), 1);
}

/* Two ask for one window: it is decoded once, although both could do it. */
static void
test_once_for_two (void **state)
{
  uint64_t first_window = 8, second_window = 8;
  pthread_t first, second;

  (void) state;
  open_cache (8, 2, 0);
  atomic_store (&sample_codec.held, 8);
  pthread_create (&first, NULL, read_held, &first_window);
  wait_until_decoded (8, 1);
  atomic_store (&waits, 0);
  pthread_create (&second, NULL, read_held, &second_window);
  while (atomic_load (&waits) == 0 && times_decoded (8) == 1)
    sched_yield ();
  atomic_store (&sample_codec.held, SAMPLE_HELD_NONE);
  pthread_join (first, NULL);
  pthread_join (second, NULL);
  assert_int_equal (first_window, 8);
  assert_int_equal (second_window, 8);
  assert_int_equal (times_decoded (8), 1);
}

/* Who reads on finds the next windows decoded. */
static void
test_ahead (void **state)
{
  (void) state;
  open_cache (40, 1, 2);
  check_window (0, 0, 1);
  check_window (1, 0, 1);
  /* Entries 2 to 5 are windows 2, 4, 5 and 6; 2 and 6 are stored. */
  wait_until_decoded (4, 1);
  wait_until_decoded (5, 1);
  check_window (2, 0, SAMPLE_CHUNK);
  check_window (4, 0, SAMPLE_CHUNK);
  check_window (5, 0, SAMPLE_CHUNK);
  assert_int_equal (times_decoded (4), 1);
  assert_int_equal (times_decoded (5), 1);
  wait_until_decoded (8, 1);
  wait_until_decoded (9, 1);
}

/* A helper that meets a damaged record does no harm, nor does closing while
 * helpers are at work.
 */
static void
test_ahead_of_damage (void **state)
{
  uint64_t entry = sample_entry (&sample, 4);
  struct error err = { 0 };
  uint8_t byte;

  (void) state;
  sample_damage (&sample, entry, 100);
  open_cache (40, 1, 2);
  check_window (0, 0, 1);
  check_window (1, 0, 1);
  wait_until_decoded (5, 1);
  assert_int_equal (window_cache_read (cache, entry, 0, &byte, 1, &err), -1);
  assert_error (&err, ERROR_BAD_INPUT, "window 4: ");
  check_window (5, 0, SAMPLE_CHUNK);
  assert_int_equal (times_decoded (5), 1);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_memory, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_codec_cannot_open, set_up,
                                     tear_down),
    cmocka_unit_test_setup_teardown (test_kept, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_smaller_than_needed, set_up,
                                     tear_down),
    cmocka_unit_test_setup_teardown (test_damage, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_threads, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_threads_and_damage, set_up,
                                     tear_down),
    cmocka_unit_test_setup_teardown (test_held_up, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_once_for_two, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_ahead, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_ahead_of_damage, set_up, tear_down),
  };

  return cmocka_run_group_tests (tests, scratch_setup, scratch_teardown);
}
