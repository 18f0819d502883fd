/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/io/early_sync.c, with a libaio that only counts. */

#include <config.h>

#include <errno.h>
#include <libaio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

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
} disk;

int
io_setup (int depth, io_context_t *context)
{
  assert_true (depth >= 1);
  disk.contexts++;
  *context = (io_context_t) &disk;
  return 0;
}

int
io_destroy (io_context_t context)
{
  (void) context;
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

  disk.flushes = 0;
  disk.iocb = NULL;
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

/* Say that the disk is idle after each of COUNT further MiB. */
static void
go_on (struct early_sync *sync, uint64_t *written, unsigned int count)
{
  struct error err = { 0 };
  unsigned int i;

  for (i = 0; i < count; i++) {
    *written += MIB;
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
  assert_in_range (disk.flushes, 3, 6);
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

/* A file without fdatasync: the caller's own says what that means. */
static void
test_not_to_be_had (void **state)
{
  struct early_sync *sync = new_sync (true, EINVAL);
  struct error err = { 0 };
  uint64_t written = 0;

  (void) state;
  go_on (sync, &written, 20);
  assert_int_equal (early_sync_finish (sync, &err), 0);
  early_sync_close (sync);
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
    cmocka_unit_test (test_error_while_writing),
    cmocka_unit_test (test_error_at_the_end),
    cmocka_unit_test (test_wind_down),
    cmocka_unit_test (test_not_to_be_had),
    cmocka_unit_test (test_stream),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
