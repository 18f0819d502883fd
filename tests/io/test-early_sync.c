/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/io/early_sync.c, with a disk and a clock of its own. */

#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/assert_error.h"
#include "io/early_sync.h"
#include "util/thread.h"

#define MIB ((uint64_t) 1 << 20)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* What stands in for the kernel, under the lock. */
static struct {
  unsigned int flushes;        /* begun */
  bool busy;                   /* with one */
  bool ending;                 /* it may end */
  int errnum;                  /* with this */
  unsigned int threads;        /* that have not ended */
  bool no_threads;             /* there are none to be had */
  time_t now;                  /* seconds */
} disk;

static struct file file = { .fd = 77, .regular = true, .name = "some/file" };

/* What each test has, and has written. */
static struct early_sync *early;
static uint64_t written;

int
fdatasync (int fd)
{
  int errnum;

  pthread_mutex_lock (&lock);
  if (fd != 77 || disk.busy)
    abort ();
  disk.flushes++;
  disk.busy = true;
  pthread_cond_broadcast (&changed);
  while (!disk.ending)
    pthread_cond_wait (&changed, &lock);
  disk.busy = false;
  errnum = disk.errnum;
  pthread_mutex_unlock (&lock);
  errno = errnum;
  return errnum == 0 ? 0 : -1;
}

int
clock_gettime (clockid_t clock, struct timespec *time)
{
  (void) clock;
  pthread_mutex_lock (&lock);
  *time = (struct timespec) { .tv_sec = disk.now };
  pthread_mutex_unlock (&lock);
  return 0;
}

/* What a thread is to do. */
static struct {
  void *(*function) (void *);
  void *opaque;
} task;

static void *
thread_main (void *opaque)
{
  (void) opaque;
  task.function (task.opaque);
  pthread_mutex_lock (&lock);
  disk.threads--;
  pthread_cond_broadcast (&changed);
  pthread_mutex_unlock (&lock);
  return NULL;
}

/* In place of src/util/thread.c's, to see it end. */
int
thread_start (pthread_t *thread, void *(*function) (void *), void *opaque)
{
  if (disk.no_threads)
    return EAGAIN;
  task.function = function;
  task.opaque = opaque;
  pthread_mutex_lock (&lock);
  disk.threads++;
  pthread_mutex_unlock (&lock);
  return pthread_create (thread, NULL, thread_main, NULL);
}

/* Let flushes end from now on, with ERRNUM. */
static void
let_end (int errnum)
{
  pthread_mutex_lock (&lock);
  disk.ending = true;
  disk.errnum = errnum;
  pthread_cond_broadcast (&changed);
  pthread_mutex_unlock (&lock);
}

/* Wait until a flush that has begun has ended, or hangs as it is to. */
static void
settle (void)
{
  pthread_mutex_lock (&lock);
  while (disk.threads > 0 && (disk.ending || !disk.busy))
    pthread_cond_wait (&changed, &lock);
  pthread_mutex_unlock (&lock);
}

static int
set_up (void **state)
{
  struct error err = { 0 };

  (void) state;
  memset (&disk, 0, sizeof disk);
  written = 0;
  return early_sync_open (&file, &early, &err);
}

static int
tear_down (void **state)
{
  (void) state;
  let_end (disk.errnum);
  early_sync_close (early);
  assert_int_equal (disk.threads, 0);
  return 0;
}

/* Say that the disk is idle after each of COUNT further MiB, one a second. */
static void
go_on (unsigned int count)
{
  struct error err = { 0 };
  unsigned int i;

  for (i = 0; i < count; i++) {
    written += MIB;
    pthread_mutex_lock (&lock);
    disk.now++;
    pthread_mutex_unlock (&lock);
    assert_int_equal (early_sync_idle (early, written, &err), 0);
    settle ();
  }
}

static void
check_error (const struct error *err, int errnum)
{
  assert_error (err, ERROR_FAILED, "cannot be flushed to disk");
  assert_int_equal (err->errnum, errnum);
  assert_string_equal (err->subject, "some/file");
}

static void
test_little_is_left_alone (void **state)
{
  struct error err = { 0 };

  (void) state;
  go_on (7);
  assert_int_equal (early_sync_finish (early, &err), 0);
  assert_int_equal (disk.flushes, 0);
}

/* Nor does the writer wait for one. */
static void
test_one_at_a_time (void **state)
{
  struct error err = { 0 };

  (void) state;
  go_on (100);
  assert_int_equal (disk.flushes, 1);
  assert_true (disk.busy);
  let_end (0);
  assert_int_equal (early_sync_finish (early, &err), 0);
  assert_false (disk.busy);
}

static void
test_each_step (void **state)
{
  (void) state;
  let_end (0);
  go_on (100);
  assert_int_equal (disk.flushes, 12);
}

/* After a slow flush others have the disk for a quarter of its time. */
static void
test_rest (void **state)
{
  (void) state;
  go_on (8 + 40);
  let_end (0);
  settle ();
  go_on (9);
  assert_int_equal (disk.flushes, 1);
  go_on (1);
  assert_int_equal (disk.flushes, 2);
}

static void *
end_later (void *opaque)
{
  struct timespec while_closing = { .tv_nsec = 50000000 };

  (void) opaque;
  nanosleep (&while_closing, NULL);
  let_end (EIO);
  return NULL;
}

/* Whatever comes of the flush. */
static void
test_close_waits (void **state)
{
  struct early_sync *sync = early;
  pthread_t thread;

  (void) state;
  go_on (20);
  assert_true (disk.busy);
  assert_int_equal (pthread_create (&thread, NULL, end_later, NULL), 0);
  early = NULL;
  early_sync_close (sync);
  assert_false (disk.busy);
  assert_int_equal (disk.threads, 0);
  pthread_join (thread, NULL);
}

/* Nothing waits for a disk where there is no thread to do it. */
static void
test_no_thread (void **state)
{
  struct error err = { 0 };

  (void) state;
  disk.no_threads = true;
  go_on (100);
  disk.no_threads = false;
  go_on (100);
  assert_int_equal (disk.flushes, 0);
  assert_int_equal (early_sync_finish (early, &err), 0);
}

/* Whatever a flush says may be about bytes that are lost. */
static const int errnums[] = { EIO, ENOSPC, EINVAL, EAGAIN };

#define ERRNUMS (sizeof errnums / sizeof errnums[0])

static void
test_error_while_writing (void **state)
{
  size_t i;

  for (i = 0; i < ERRNUMS; i++) {
    struct error err = { 0 };

    let_end (errnums[i]);
    go_on (8);
    assert_int_equal (disk.flushes, 1);
    assert_int_equal (early_sync_idle (early, written, &err), -1);
    check_error (&err, errnums[i]);
    tear_down (state);
    set_up (state);
  }
}

static void
test_error_at_the_end (void **state)
{
  size_t i;

  for (i = 0; i < ERRNUMS; i++) {
    struct error err = { 0 };

    go_on (20);
    let_end (errnums[i]);
    assert_int_equal (early_sync_finish (early, &err), -1);
    check_error (&err, errnums[i]);
    tear_down (state);
    set_up (state);
  }
}

static void
test_stream (void **state)
{
  struct file stream = { .fd = 78, .stream = true, .name = "pipe" };
  struct early_sync *sync = early;
  struct error err = { 0 };

  (void) state;
  assert_int_equal (early_sync_open (&stream, &sync, &err), 0);
  assert_null (sync);
  assert_int_equal (early_sync_idle (sync, 100 * MIB, &err), 0);
  assert_int_equal (early_sync_finish (sync, &err), 0);
  early_sync_close (sync);
}

#define TEST(name) \
  cmocka_unit_test_setup_teardown (test_##name, set_up, tear_down)

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    TEST (little_is_left_alone),
    TEST (one_at_a_time),
    TEST (each_step),
    TEST (rest),
    TEST (close_waits),
    TEST (no_thread),
    TEST (error_while_writing),
    TEST (error_at_the_end),
    TEST (stream),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
