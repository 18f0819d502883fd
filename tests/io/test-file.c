/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/io/file.c and file_system.c. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/assert_error.h"
#include "io/scratch.h"
#include "util/bytes.h"

#define MIB ((size_t) 1 << 20)
#define SIZE (300000u + 77u)

/* Any offset and length, against the pattern. */
static void
read_pieces (enum direct_io direct)
{
  static const size_t places[][2] = {
    { 0, 1 }, { 0, 4096 }, { 1, 4096 }, { 4095, 2 }, { 5000, 100000 },
    { 0, SIZE }, { 1, SIZE - 1 }, { SIZE - 1, 1 }, { SIZE - 4097, 4097 },
    { 262143, 3 }, { SIZE, 0 }, { 0, 0 }, { 4096, 8192 }, { 8192, 20001 },
  };
  struct error err = { 0 };
  struct file file;
  /* The buffer is page aligned, and once more it is not. */
  uint8_t *memory = pattern_bytes (0, SIZE + 1), *bytes;
  size_t count = sizeof places / sizeof places[0], i, k;

  scratch_open (scratch_file ("file", SIZE), direct, &file);
  assert_int_equal (file.size, SIZE);
  assert_true (file.regular);
  assert_false (file.stream);
  for (i = 0; i < 2 * count; i++) {
    const size_t *place = places[i % count];

    memset (memory, 0, SIZE + 1);
    bytes = memory + i / count;
    assert_int_equal (file_read_at (&file, place[0], bytes, place[1], &err),
                      0);
    for (k = 0; k < place[1]; k++)
      assert_int_equal (bytes[k], pattern_byte (place[0] + k));
    assert_int_equal (place[1] < SIZE ? bytes[place[1]] : 0, 0);
  }
  scratch_close (&file);
  free (memory);
}

static void
test_read (void **state)
{
  (void) state;
  read_pieces (DIRECT_IO_OFF);
  read_pieces (DIRECT_IO_AUTO);
}

static void
test_read_direct (void **state)
{
  (void) state;
  read_pieces (DIRECT_IO_ON);
}

static void
read_past_end (enum direct_io direct, uint64_t offset, size_t length)
{
  struct error err = { 0 };
  struct file file;
  uint8_t *bytes = pattern_bytes (0, length);

  scratch_open (scratch_file ("file", SIZE), direct, &file);
  assert_int_equal (file_read_at (&file, offset, bytes, length, &err), -1);
  assert_error (&err, ERROR_BAD_INPUT, "the file ends before byte");
  assert_string_equal (err.subject, file.name);
  scratch_close (&file);
  free (bytes);
}

static void
test_read_past_end (void **state)
{
  static const enum direct_io directs[] = { DIRECT_IO_OFF, DIRECT_IO_AUTO };
  size_t i;

  (void) state;
  for (i = 0; i < 2; i++) {
    read_past_end (directs[i], 0, SIZE + 1);
    read_past_end (directs[i], SIZE - 1, 2);
    read_past_end (directs[i], SIZE, 1);
    read_past_end (directs[i], 10 * MIB, 4096);
  }
}

static void
test_write (void **state)
{
  struct error err = { 0 };
  uint8_t *bytes = pattern_bytes (0, 3 * PAGE_BYTES);
  struct file file;

  (void) state;
  scratch_open (scratch_path ("file"), DIRECT_IO_AUTO, &file);
  assert_int_equal (file_write_at (&file, PAGE_BYTES, bytes + PAGE_BYTES,
                                   2 * PAGE_BYTES, &err), 0);
  assert_int_equal (file_write_at (&file, 0, bytes, PAGE_BYTES, &err), 0);
  assert_int_equal (file_sync (&file, &err), 0);
  check_pattern_file (file.name, 3 * PAGE_BYTES);
  scratch_close (&file);
  free (bytes);
}

static void
test_direct_dropped (void **state)
{
  struct error err = { 0 };
  struct file file;

  (void) state;
  scratch_open (scratch_file ("file", 100), DIRECT_IO_ON, &file);
  assert_true (file.direct);
  assert_int_equal (file_drop_direct (&file, &err), 0);
  assert_false (file.direct);
  assert_int_equal (fcntl (file.fd, F_GETFL) & O_DIRECT, 0);
  scratch_close (&file);
}

/* 1 MiB of data from 4 MiB on, in 8 MiB. */
static void
test_block_bytes (void **state)
{
  struct file file;
  uint64_t bytes;

  (void) state;
  scratch_open (scratch_path ("file"), DIRECT_IO_OFF, &file);
  bytes = file_block_bytes (&file);
  assert_true (is_power_of_two (bytes));
  assert_true (bytes >= PAGE_BYTES && bytes <= 16 * MIB);
  scratch_close (&file);
}

static void
test_next_data (void **state)
{
  uint8_t *bytes = pattern_bytes (0, MIB);
  struct error err = { 0 };
  struct file file, again;
  uint64_t data;

  (void) state;
  scratch_open (scratch_path ("file"), DIRECT_IO_AUTO, &file);
  assert_int_equal (file_write_at (&file, 4 * MIB, bytes, MIB, &err), 0);
  assert_int_equal (file_truncate (&file, 8 * MIB, &err), 0);
  assert_int_equal (file_open (file.name, FILE_READ, FILE_HOW (DIRECT_IO_OFF),
                               &again, &err), 0);
  data = file_next_data (&again, 0);
  if (data == 0)
    skip ();                   /* a file system without holes */
  assert_int_equal (data, 4 * MIB);
  assert_int_equal (file_next_data (&again, 4 * MIB + 5), 4 * MIB + 5);
  assert_int_equal (file_next_data (&again, 5 * MIB), 8 * MIB);
  assert_int_equal (file_next_data (&again, 8 * MIB), 8 * MIB);
  assert_int_equal (file_next_data (&again, UINT64_MAX), 8 * MIB);
  scratch_close (&again);

  assert_int_equal (file_punch (&file, 4 * MIB, MIB, &err), 0);
  assert_int_equal (file_open (file.name, FILE_READ, FILE_HOW (DIRECT_IO_OFF),
                               &again, &err), 0);
  assert_int_equal (again.size, 8 * MIB);
  assert_int_equal (file_next_data (&again, 0), 8 * MIB);
  scratch_close (&again);
  scratch_close (&file);
  free (bytes);
}

/* A limit is no failure of a size that is set ahead. */
static void
test_extend (void **state)
{
  struct error err = { 0 };
  struct rlimit before, limit;
  struct file file;
  int result;

  (void) state;
  signal (SIGXFSZ, SIG_IGN);
  assert_int_equal (getrlimit (RLIMIT_FSIZE, &before), 0);
  limit = before;
  limit.rlim_cur = 2 * MIB;
  scratch_open (scratch_path ("file"), DIRECT_IO_AUTO, &file);
  assert_int_equal (setrlimit (RLIMIT_FSIZE, &limit), 0);
  assert_int_equal (file_extend (&file, 2 * MIB, &err), 1);
  result = file_extend (&file, 2 * MIB + 1, &err);
  assert_int_equal (setrlimit (RLIMIT_FSIZE, &before), 0);
  assert_int_equal (result, 0);
  assert_int_equal (err.kind, ERROR_NONE);
  assert_int_equal (lseek (file.fd, 0, SEEK_END), 2 * MIB);
  scratch_close (&file);

  assert_int_equal (file_open (scratch_file ("file", MIB), FILE_READ,
                               FILE_HOW (DIRECT_IO_OFF), &file, &err), 0);
  assert_int_equal (file_extend (&file, 2 * MIB, &err), -1);
  assert_error (&err, ERROR_FAILED, "cannot set the size");
  scratch_close (&file);
}

static void
test_can_punch (void **state)
{
  struct error err = { 0 };
  struct file file;

  (void) state;
  scratch_open (scratch_file ("file", SIZE), DIRECT_IO_OFF, &file);
  if (file_can_punch (&file, &err) == 0)
    skip ();                   /* a file system without holes */
  assert_int_equal (err.kind, ERROR_NONE);
  check_pattern_file (file.name, SIZE);
  scratch_close (&file);

  assert_int_equal (file_open (scratch_file ("file", SIZE), FILE_READ,
                               FILE_HOW (DIRECT_IO_OFF), &file, &err), 0);
  assert_int_equal (file_can_punch (&file, &err), -1);
  assert_error (&err, ERROR_FAILED, "cannot give blocks back");
  scratch_close (&file);
}

static void
test_stream (void **state)
{
  static const volatile sig_atomic_t signalled = 15;
  struct error err = { 0 };
  uint8_t buffer[100];
  struct file file;
  int ends[2];

  (void) state;
  assert_int_equal (pipe (ends), 0);
  assert_int_equal (file_take_descriptor (ends[0], "fd:N", FILE_READ,
                                          FILE_HOW (DIRECT_IO_AUTO), &file,
                                          &err), 0);
  assert_int_equal (write (ends[1], "short", 5), 5);
  assert_int_equal (file_read_stream (&file, buffer, sizeof buffer, &err), 5);
  assert_memory_equal (buffer, "short", 5);
  atomic_store (&file.interrupted, true);
  assert_int_equal (file_read_stream (&file, buffer, sizeof buffer, &err),
                    -1);
  assert_int_equal (err.kind, ERROR_CANCELLED);
  atomic_store (&file.interrupted, false);
  file.how.cancelled = &signalled;
  err = (struct error) { 0 };
  assert_int_equal (file_read_stream (&file, buffer, sizeof buffer, &err),
                    -1);
  assert_int_equal (err.kind, ERROR_CANCELLED);
  file.how.cancelled = NULL;
  close (ends[1]);
  assert_int_equal (file_read_stream (&file, buffer, sizeof buffer, &err), 0);
  scratch_close (&file);
  close (ends[0]);
}

static volatile sig_atomic_t caught;

static void
catch (int number)
{
  caught = number;
}

/* The reader sleeps, and a signal comes while the pipe is full. */
static void
write_to_sleeper (struct file *file)
{
  const struct itimerval soon = { .it_value = { .tv_usec = 50000 } };
  const struct sigaction action = { .sa_handler = catch };
  static uint8_t much[1 << 20];
  struct error err = { 0 };

  caught = 0;
  file->how.cancelled = &caught;
  assert_int_equal (sigaction (SIGALRM, &action, NULL), 0);
  /* Fill the pipe, and not a byte more: nothing is left to interrupt. */
  assert_int_equal (file_write_stream (file, much,
                                       (size_t) fcntl (file->fd,
                                                       F_GETPIPE_SZ), &err),
                    0);
  assert_int_equal (setitimer (ITIMER_REAL, &soon, NULL), 0);
  assert_int_equal (file_write_stream (file, much, sizeof much, &err), -1);
  assert_int_equal (err.kind, ERROR_CANCELLED);
  assert_int_equal (caught, SIGALRM);
  file->how.cancelled = NULL;
}

static void
test_write_stream (void **state)
{
  struct error err = { 0 };
  uint8_t buffer[100];
  struct file file;
  int ends[2];

  (void) state;
  signal (SIGPIPE, SIG_IGN);
  assert_int_equal (pipe (ends), 0);
  assert_int_equal (file_take_descriptor (ends[1], "fd:N", FILE_WRITE,
                                          FILE_HOW (DIRECT_IO_AUTO), &file,
                                          &err), 0);
  assert_int_equal (file_write_stream (&file, "short", 5, &err), 0);
  assert_int_equal (read (ends[0], buffer, sizeof buffer), 5);
  assert_memory_equal (buffer, "short", 5);
  write_to_sleeper (&file);
  close (ends[0]);
  err = (struct error) { 0 };
  assert_int_equal (file_write_stream (&file, "short", 5, &err), -1);
  assert_error (&err, ERROR_FAILED, "cannot be written");
  assert_int_equal (err.errnum, EPIPE);
  scratch_close (&file);
  close (ends[1]);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_read),
    cmocka_unit_test (test_read_direct),
    cmocka_unit_test (test_read_past_end),
    cmocka_unit_test (test_write),
    cmocka_unit_test (test_direct_dropped),
    cmocka_unit_test (test_block_bytes),
    cmocka_unit_test (test_next_data),
    cmocka_unit_test (test_extend),
    cmocka_unit_test (test_can_punch),
    cmocka_unit_test (test_stream),
    cmocka_unit_test (test_write_stream),
  };

  return cmocka_run_group_tests (tests, scratch_setup, scratch_teardown);
}
