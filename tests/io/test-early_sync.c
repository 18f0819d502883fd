/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/io/early_sync.c, with a libaio and a clock of its own. */

#include <config.h>

#include <errno.h>
#include <libaio.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/assert_error.h"
#include "io/early_sync.h"

#define MIB ((uint64_t) 1 << 20)

/* What stands in for the kernel: one flush at a time. */
static struct {
  unsigned int flushes;        /* begun */
  struct iocb *iocb;           /* of the one under way, or NULL */
  bool ending;                 /* it ends when it is next asked for */
  int errnum;                  /* with this */
  unsigned int contexts;       /* made */
  bool none;                   /* it makes none */
  bool destroyed;              /* with a flush under way */
  time_t now;                  /* seconds */
} disk;

static pthread_t main_thread;

int
io_setup (int depth, io_context_t *context)
{
  assert_true (depth >= 1);
  if (disk.none)
    return -EAGAIN;
  disk.contexts++;
  *context = (io_context_t) &disk;
  return 0;
}

/* Called aside, it is not waited for, and may come during another test. */
int
io_destroy (io_context_t context)
{
  (void) context;
  if (pthread_equal (pthread_self (), main_thread) && disk.iocb != NULL)
    disk.destroyed = true;
  return 0;
}

int
clock_gettime (clockid_t clock, struct timespec *time)
{
  (void) clock;
  *time = (struct timespec) { .tv_sec = disk.now };
  return 0;
}

int
io_submit (io_context_t context, long count, struct iocb **iocbs)
{
  assert_ptr_equal (context, &disk);
  assert_int_equal (count, 1);
  assert_null (disk.iocb);
  assert_int_equal (iocbs[0]->aio_lio_opcode, IO_CMD_FDSYNC);
  assert_int_equal (iocbs[0]->aio_fildes, 77);
  disk.iocb = iocbs[0];
  disk.flushes++;
  return 1;
}

int
io_getevents (io_context_t context, long least, long most,
              struct io_event *events, struct timespec *timeout)
{
  assert_ptr_equal (context, &disk);
  assert_true (most >= 1);
  assert_null (timeout);
  if (disk.iocb == NULL || (least == 0 && !disk.ending))
    return 0;
  events[0] = (struct io_event) {
    .obj = disk.iocb,
    .res = (unsigned long) -(long) disk.errnum,
  };
  disk.iocb = NULL;
  return 1;
}

static struct file file = { .fd = 77, .regular = true, .name = "some/file" };

static struct early_sync *
new_sync (bool ending, int errnum)
{
  struct early_sync *sync = NULL;
  struct error err = { 0 };

  memset (&disk, 0, sizeof disk);
  disk.ending = ending;
  disk.errnum = errnum;
  assert_int_equal (early_sync_open (&file, &sync, &err), 0);
  assert_non_null (sync);
  return sync;
}

static void
check_error (const struct error *err, int errnum)
{
  assert_error (err, ERROR_FAILED, "cannot be flushed to disk");
  assert_int_equal (err->errnum, errnum);
  assert_string_equal (err->subject, "some/file");
}

/* Say that the disk is idle after each of COUNT further MiB, one a second. */
static void
go_on (struct early_sync *sync, uint64_t *written, unsigned int count)
{
  struct error err = { 0 };
  unsigned int i;

  for (i = 0; i < count; i++) {
    *written += MIB;
    disk.now++;
    assert_int_equal (early_sync_idle (sync, *written, &err), 0);
  }
}

static void
test_little_is_left_alone (void **state)
{
  struct early_sync *sync = new_sync (true, 0);
  struct error err = { 0 };
  uint64_t written = 0;

  (void) state;
  go_on (sync, &written, 15);
  assert_int_equal (early_sync_finish (sync, &err), 0);
  assert_int_equal (disk.flushes, 0);
  assert_int_equal (disk.contexts, 0);
  early_sync_close (sync);
}

static void
test_one_at_a_time (void **state)
{
  struct early_sync *sync = new_sync (false, 0);
  struct error err = { 0 };
  uint64_t written = 0;

  (void) state;
  go_on (sync, &written, 100);
  assert_int_equal (disk.flushes, 1);
  assert_int_equal (early_sync_finish (sync, &err), 0);
  assert_null (disk.iocb);
  early_sync_close (sync);
}

static void
test_each_step (void **state)
{
  struct early_sync *sync = new_sync (true, 0);
  uint64_t written = 0;

  (void) state;
  go_on (sync, &written, 100);
  assert_int_equal (disk.flushes, 6);
  early_sync_close (sync);
}

/* After a slow flush the disk is left alone for as long. */
static void
test_rest (void **state)
{
  struct early_sync *sync = new_sync (false, 0);
  uint64_t written = 0;

  (void) state;
  go_on (sync, &written, 16 + 29);
  disk.ending = true;
  go_on (sync, &written, 1 + 29);
  assert_int_equal (disk.flushes, 1);
  go_on (sync, &written, 1);
  assert_int_equal (disk.flushes, 2);
  early_sync_close (sync);
}

/* The kernel waits for the flush before anything is freed. */
static void
test_close_waits (void **state)
{
  struct early_sync *sync = new_sync (false, 0);
  uint64_t written = 0;

  (void) state;
  go_on (sync, &written, 20);
  assert_non_null (disk.iocb);
  early_sync_close (sync);
  assert_true (disk.destroyed);
}

/* Nothing waits for a disk where the kernel does not do it aside. */
static void
test_no_context (void **state)
{
  struct early_sync *sync = new_sync (true, 0);
  struct error err = { 0 };
  uint64_t written = 0;

  (void) state;
  disk.none = true;
  go_on (sync, &written, 100);
  assert_int_equal (disk.flushes, 0);
  assert_int_equal (early_sync_finish (sync, &err), 0);
  early_sync_close (sync);
}

static void
test_error_while_writing (void **state)
{
  struct early_sync *sync = new_sync (true, EIO);
  struct error err = { 0 };
  uint64_t written = 0;

  (void) state;
  go_on (sync, &written, 16);
  assert_int_equal (disk.flushes, 1);
  assert_int_equal (early_sync_idle (sync, written, &err), -1);
  check_error (&err, EIO);
  early_sync_close (sync);
}

static void
test_error_at_the_end (void **state)
{
  struct early_sync *sync = new_sync (false, ENOSPC);
  struct error err = { 0 };
  uint64_t written = 0;

  (void) state;
  go_on (sync, &written, 20);
  assert_int_equal (early_sync_finish (sync, &err), -1);
  check_error (&err, ENOSPC);
  early_sync_close (sync);
}

/* Neither before the last flush nor after it another begins. */
static void
test_wind_down (void **state)
{
  struct early_sync *sync = new_sync (false, 0);
  struct error err = { 0 };
  uint64_t written = 0;

  (void) state;
  go_on (sync, &written, 20);
  assert_int_equal (disk.flushes, 1);
  early_sync_wind_down (sync);
  disk.ending = true;
  go_on (sync, &written, 40);
  early_sync_wind_down (sync);
  go_on (sync, &written, 40);
  assert_int_equal (disk.flushes, 1);
  assert_int_equal (early_sync_finish (sync, &err), 0);
  early_sync_close (sync);
  early_sync_wind_down (NULL);
}

/* Whatever a flush says may be about bytes that are lost. */
static void
test_any_error_counts (void **state)
{
  static const int errnums[] = { EINVAL, EAGAIN };
  size_t i;

  (void) state;
  for (i = 0; i < sizeof errnums / sizeof errnums[0]; i++) {
    struct early_sync *sync = new_sync (true, errnums[i]);
    struct error err = { 0 };
    uint64_t written = 0;

    go_on (sync, &written, 16);
    assert_int_equal (early_sync_finish (sync, &err), -1);
    check_error (&err, errnums[i]);
    assert_int_equal (disk.flushes, 1);
    early_sync_close (sync);
  }
}

static void
test_stream (void **state)
{
  struct file stream = { .fd = 78, .stream = true, .name = "pipe" };
  struct early_sync *sync = (struct early_sync *) &stream;
  struct error err = { 0 };

  (void) state;
  assert_int_equal (early_sync_open (&stream, &sync, &err), 0);
  assert_null (sync);
  assert_int_equal (early_sync_idle (sync, 100 * MIB, &err), 0);
  assert_int_equal (early_sync_finish (sync, &err), 0);
  early_sync_close (sync);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_little_is_left_alone),
    cmocka_unit_test (test_one_at_a_time),
    cmocka_unit_test (test_each_step),
    cmocka_unit_test (test_rest),
    cmocka_unit_test (test_close_waits),
    cmocka_unit_test (test_no_context),
    cmocka_unit_test (test_error_while_writing),
    cmocka_unit_test (test_error_at_the_end),
    cmocka_unit_test (test_wind_down),
    cmocka_unit_test (test_any_error_counts),
    cmocka_unit_test (test_stream),
  };

  main_thread = pthread_self ();
  return cmocka_run_group_tests (tests, NULL, NULL);
}
