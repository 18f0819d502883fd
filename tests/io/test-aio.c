/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/io/aio.c on real files. */

#include <config.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/aio.h"
#include "io/scratch.h"
#include "util/bytes.h"

#define DEPTH 4u
#define REQUESTS 25u
#define LENGTH (4 * PAGE_BYTES)

/* An endless loop must not hang the tests. */
#define PATIENCE_SECONDS 60u

static struct aio *
new_aio (void)
{
  struct error err = { 0 };
  struct aio *aio = NULL;

  alarm (PATIENCE_SECONDS);
  assert_int_equal (aio_open (DEPTH, &aio, &err), 0);
  return aio;
}

static struct aio_request
request_of (struct file *file, bool write, uint8_t *buffer, size_t length,
            uint64_t offset)
{
  return (struct aio_request) {
    .file = file,
    .write = write,
    .buffer = buffer,
    .length = length,
    .needed = length,
    .offset = offset,
  };
}

/* All come back, whole, each once. */
static void
wait_for_all (struct aio *aio, struct aio_request *requests)
{
  unsigned int i;

  for (i = 0; i < REQUESTS; i++) {
    struct aio_request *request = aio_wait (aio, true);

    assert_non_null (request);
    assert_in_range ((uintptr_t) request, (uintptr_t) requests,
                     (uintptr_t) (requests + REQUESTS - 1));
    assert_ptr_equal (request->owner, aio);
    assert_int_equal (request->errnum, 0);
    assert_int_equal (request->done, LENGTH);
    request->owner = NULL;
  }
  assert_null (aio_wait (aio, true));
}

/* More requests than the queue is deep, submitted in no order. */
static void
transfer_all (struct aio *aio, struct file *file, bool write, uint8_t *bytes)
{
  struct aio_request requests[REQUESTS];
  unsigned int i;

  for (i = 0; i < REQUESTS; i++) {
    unsigned int number = i * 7 % REQUESTS;
    size_t offset = (size_t) number * LENGTH;

    requests[i] = request_of (file, write, bytes + offset, LENGTH, offset);
    requests[i].owner = aio;
    aio_submit (aio, &requests[i]);
  }
  wait_for_all (aio, requests);
}

static void
write_and_read (enum direct_io direct)
{
  const char *path = scratch_path ("file");
  uint8_t *bytes = pattern_bytes (0, REQUESTS * LENGTH);
  struct aio *aio = new_aio ();
  struct file file;

  scratch_open (path, direct, &file);
  transfer_all (aio, &file, true, bytes);
  check_pattern_file (file.name, REQUESTS * LENGTH);
  memset (bytes, 0, REQUESTS * LENGTH);
  transfer_all (aio, &file, false, bytes);
  check_pattern_file (file.name, REQUESTS * LENGTH);
  for (size_t i = 0; i < REQUESTS * LENGTH; i++)
    assert_int_equal (bytes[i], pattern_byte (i));
  aio_close (aio);
  scratch_close (&file);
  free (bytes);
}

/* Nothing is lost in between, and what comes after works the same. */
static void
test_wind_down (void **state)
{
  uint8_t *bytes = pattern_bytes (0, REQUESTS * LENGTH);
  struct aio_request requests[REQUESTS];
  struct aio *aio = new_aio (), *unused = new_aio ();
  struct file file;
  unsigned int i;

  (void) state;
  scratch_open (scratch_path ("file"), DIRECT_IO_AUTO, &file);
  for (i = 0; i < REQUESTS; i++) {
    requests[i] = request_of (&file, true, bytes + i * LENGTH, LENGTH,
                              i * LENGTH);
    requests[i].owner = aio;
    aio_submit (aio, &requests[i]);
  }
  aio_flush (aio);
  aio_wind_down (aio);
  wait_for_all (aio, requests);
  aio_wind_down (aio);
  aio_wind_down (unused);
  check_pattern_file (file.name, REQUESTS * LENGTH);
  memset (bytes, 0, REQUESTS * LENGTH);
  transfer_all (aio, &file, false, bytes);
  for (size_t j = 0; j < REQUESTS * LENGTH; j++)
    assert_int_equal (bytes[j], pattern_byte (j));
  transfer_all (unused, &file, true, bytes);
  check_pattern_file (file.name, REQUESTS * LENGTH);
  aio_close (aio);
  aio_close (unused);
  scratch_close (&file);
  free (bytes);
}

static void
test_buffered (void **state)
{
  (void) state;
  write_and_read (DIRECT_IO_OFF);
}

static void
test_direct (void **state)
{
  (void) state;
  write_and_read (DIRECT_IO_ON);
}

static void
test_auto (void **state)
{
  (void) state;
  write_and_read (DIRECT_IO_AUTO);
}

/* Read LENGTH bytes at OFFSET of a file of SIZE bytes, NEEDED of them.
 * Returns errnum; *DONE is how many came.
 */
static int
read_at_end (enum direct_io direct, size_t size, uint64_t offset,
             size_t needed, size_t *done)
{
  uint8_t *bytes = pattern_bytes (0, LENGTH);
  struct aio *aio = new_aio ();
  struct aio_request request;
  struct file file;
  size_t i;

  scratch_open (scratch_file ("short", size), direct, &file);
  memset (bytes, 0, LENGTH);
  request = request_of (&file, false, bytes, LENGTH, offset);
  request.needed = needed;
  aio_submit (aio, &request);
  assert_ptr_equal (aio_wait (aio, true), &request);
  assert_null (aio_wait (aio, true));
  for (i = 0; request.errnum == 0 && i < needed; i++)
    assert_int_equal (bytes[i], pattern_byte (offset + i));
  *done = request.done;
  aio_close (aio);
  scratch_close (&file);
  free (bytes);
  return request.errnum;
}

static void
check_reads_at_end (enum direct_io direct)
{
  size_t done;

  assert_int_equal (read_at_end (direct, 10000, 0, 10000, &done), 0);
  assert_int_equal (done, 10000);
  assert_int_equal (read_at_end (direct, 10000, PAGE_BYTES, 5904, &done), 0);
  assert_int_equal (read_at_end (direct, PAGE_BYTES, 0, PAGE_BYTES, &done),
                    0);
  assert_int_equal (read_at_end (direct, 1, 0, 1, &done), 0);
  assert_int_equal (done, 1);
}

/* Files that are shorter than they have to be, cut within a page or not. */
static void
check_files_too_short (enum direct_io direct)
{
  size_t done;

  assert_int_equal (read_at_end (direct, 10000, 0, 10001, &done), ENODATA);
  assert_int_equal (read_at_end (direct, 5000, 0, LENGTH, &done), ENODATA);
  assert_int_equal (read_at_end (direct, 8192, 0, LENGTH, &done), ENODATA);
  assert_int_equal (read_at_end (direct, 100, 0, 4096, &done), ENODATA);
  assert_int_equal (read_at_end (direct, 0, 0, 1, &done), ENODATA);
  assert_int_equal (read_at_end (direct, 4096, 8192, 1, &done), ENODATA);
}

static void
test_end_of_file (void **state)
{
  (void) state;
  check_reads_at_end (DIRECT_IO_OFF);
  check_reads_at_end (DIRECT_IO_AUTO);
}

static void
test_file_too_short (void **state)
{
  (void) state;
  check_files_too_short (DIRECT_IO_OFF);
  check_files_too_short (DIRECT_IO_AUTO);
}

/* An unaligned buffer is refused by O_DIRECT: "auto" goes on without it, "on"
 * reports it.  A file system that takes such a buffer is right, too.
 */
static void
read_unaligned (enum direct_io direct, int *errnum, bool *still_direct)
{
  uint8_t *bytes = pattern_bytes (0, 2 * LENGTH);
  struct aio *aio = new_aio ();
  struct aio_request request;
  struct file file;

  scratch_open (scratch_file ("unaligned", LENGTH), direct, &file);
  memset (bytes, 0, 2 * LENGTH);
  request = request_of (&file, false, bytes + 3, 5000, 7);
  aio_submit (aio, &request);
  assert_ptr_equal (aio_wait (aio, true), &request);
  *errnum = request.errnum;
  *still_direct = file.direct;
  if (*errnum == 0) {
    assert_int_equal (bytes[3], pattern_byte (7));
    assert_int_equal (bytes[5002], pattern_byte (5006));
    assert_int_equal (bytes[5003], 0);
  }
  aio_close (aio);
  scratch_close (&file);
  free (bytes);
}

static void
test_direct_given_up (void **state)
{
  bool still_direct;
  int errnum;

  (void) state;
  read_unaligned (DIRECT_IO_AUTO, &errnum, &still_direct);
  if (errnum == 0 && still_direct)
    skip ();                    /* tmpfs takes it as it is */
  assert_int_equal (errnum, 0);
  assert_false (still_direct);
}

static void
test_direct_insisted_on (void **state)
{
  bool still_direct;
  int errnum;

  (void) state;
  read_unaligned (DIRECT_IO_ON, &errnum, &still_direct);
  if (errnum == 0)
    skip ();
  assert_int_equal (errnum, EINVAL);
  assert_true (still_direct);
}

/* One request fails, the others do not. */
static void
test_error_is_its_own (void **state)
{
  uint8_t *bytes = pattern_bytes (0, 3 * LENGTH);
  struct aio *aio = new_aio ();
  struct aio_request requests[3];
  struct file file, closed;
  unsigned int i;

  (void) state;
  scratch_open (scratch_file ("file", 3 * LENGTH), DIRECT_IO_OFF, &file);
  closed = (struct file) FILE_CLOSED;
  for (i = 0; i < 3; i++) {
    requests[i] = request_of (i == 1 ? &closed : &file, false,
                              bytes + i * LENGTH, LENGTH, i * LENGTH);
    aio_submit (aio, &requests[i]);
  }
  for (i = 0; i < 3; i++)
    assert_non_null (aio_wait (aio, true));
  assert_null (aio_wait (aio, false));
  assert_int_equal (requests[0].errnum, 0);
  assert_int_equal (requests[1].errnum, EBADF);
  assert_int_equal (requests[2].errnum, 0);
  aio_close (aio);
  scratch_close (&file);
  free (bytes);
}

/* A limit of the file's size is told from a full disk, at a page's end and
 * within a page.
 */
static void
test_size_limit (void **state)
{
  static const rlim_t limits[] = { PAGE_BYTES, PAGE_BYTES + 1024, 1 };
  uint8_t *bytes = pattern_bytes (0, LENGTH);
  struct rlimit before, limit;
  size_t i;

  (void) state;
  signal (SIGXFSZ, SIG_IGN);
  assert_int_equal (getrlimit (RLIMIT_FSIZE, &before), 0);
  limit = before;
  for (i = 0; i < 2 * sizeof limits / sizeof limits[0]; i++) {
    struct aio *aio = new_aio ();
    struct aio_request request;
    struct file file;

    scratch_open (scratch_path ("file"),
                  i % 2 == 0 ? DIRECT_IO_AUTO : DIRECT_IO_OFF, &file);
    request = request_of (&file, true, bytes, LENGTH, 0);
    limit.rlim_cur = limits[i / 2];
    assert_int_equal (setrlimit (RLIMIT_FSIZE, &limit), 0);
    aio_submit (aio, &request);
    assert_ptr_equal (aio_wait (aio, true), &request);
    assert_int_equal (setrlimit (RLIMIT_FSIZE, &before), 0);
    assert_int_equal (request.errnum, EFBIG);
    aio_close (aio);
    scratch_close (&file);
  }
  free (bytes);
}

static void
test_nothing_to_wait_for (void **state)
{
  struct aio *aio = new_aio ();

  (void) state;
  assert_null (aio_wait (aio, false));
  assert_null (aio_wait (aio, true));
  aio_flush (aio);
  aio_close (aio);
  aio_close (NULL);
}

/* Nothing is written after aio_close has returned. */
static void
test_close_waits (void **state)
{
  uint8_t *bytes = pattern_bytes (0, LENGTH);
  struct aio *aio = new_aio ();
  struct aio_request request;
  struct file file;

  (void) state;
  scratch_open (scratch_path ("file"), DIRECT_IO_AUTO, &file);
  request = request_of (&file, true, bytes, LENGTH, 0);
  aio_submit (aio, &request);
  aio_flush (aio);
  aio_close (aio);
  check_pattern_file (file.name, LENGTH);
  scratch_close (&file);
  free (bytes);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_buffered),
    cmocka_unit_test (test_direct),
    cmocka_unit_test (test_auto),
    cmocka_unit_test (test_wind_down),
    cmocka_unit_test (test_end_of_file),
    cmocka_unit_test (test_file_too_short),
    cmocka_unit_test (test_direct_given_up),
    cmocka_unit_test (test_direct_insisted_on),
    cmocka_unit_test (test_error_is_its_own),
    cmocka_unit_test (test_size_limit),
    cmocka_unit_test (test_nothing_to_wait_for),
    cmocka_unit_test (test_close_waits),
  };

  return cmocka_run_group_tests (tests, scratch_setup, scratch_teardown);
}
