/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/io/file_open.c and file_lock.c. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/assert_error.h"
#include "io/scratch.h"

#define SIZE (300000u + 77u)

static void
test_descriptor_of (void **state)
{
  static const char *const others[] = {
    "", "fd", "fd:", "fd:x", "fd:-1", "fd:+1", "fd: 1", "fd:1 ", "fd:1x",
    "FD:1", "./fd:1", "fd:2147483648", "fd:99999999999999999999", "-",
  };
  size_t i;

  (void) state;
  assert_int_equal (file_descriptor_of ("fd:0"), 0);
  assert_int_equal (file_descriptor_of ("fd:17"), 17);
  assert_int_equal (file_descriptor_of ("fd:2147483647"), 2147483647);
  for (i = 0; i < sizeof others / sizeof others[0]; i++)
    assert_int_equal (file_descriptor_of (others[i]), -1);
}

static void
refuse_to_open (const char *name, int errnum, bool absent)
{
  struct error err = { 0 };
  struct file file = FILE_CLOSED;

  assert_int_equal (file_open (name, FILE_READ, FILE_HOW (DIRECT_IO_AUTO),
                               &file, &err), -1);
  assert_int_equal (err.kind, ERROR_FAILED);
  assert_int_equal (err.errnum, errnum);
  assert_string_equal (err.subject, name);
  assert_int_equal (file.absent, absent);
  file_close (&file);
}

/* What is not there is something else than what cannot be opened just now. */
static void
test_absent (void **state)
{
  struct error err = { 0 };
  struct rlimit before, none;
  struct file file;

  (void) state;
  refuse_to_open (scratch_path ("missing"), ENOENT, true);
  refuse_to_open ("/dev/null/missing", ENOTDIR, true);
  assert_int_equal (file_open_seekable ("/", "it must be", FILE_READ,
                                        FILE_HOW (DIRECT_IO_AUTO), &file,
                                        &err), -1);
  assert_true (file.absent);
  assert_int_equal (getrlimit (RLIMIT_NOFILE, &before), 0);
  none = before;
  none.rlim_cur = 0;
  assert_int_equal (setrlimit (RLIMIT_NOFILE, &none), 0);
  refuse_to_open (scratch_path ("missing"), EMFILE, false);
  err = (struct error) { 0 };
  assert_int_equal (file_open_seekable ("/", "it must be", FILE_READ,
                                        FILE_HOW (DIRECT_IO_AUTO), &file,
                                        &err), -1);
  assert_int_equal (setrlimit (RLIMIT_NOFILE, &before), 0);
  assert_false (file.absent);
  file_close (&file);
}

static void
test_refused (void **state)
{
  (void) state;
  refuse_to_open (scratch_path ("missing"), ENOENT, true);
  refuse_to_open ("/", EISDIR, true);
  refuse_to_open ("fd:1000", EBADF, false);
}

/* Open one end of a pipe for the other use. */
static void
wrong_direction (int fd, enum file_access access, const char *message)
{
  struct error err = { 0 };
  struct file file = FILE_CLOSED;

  assert_int_equal (file_take_descriptor (fd, "fd:N", access,
                                          FILE_HOW (DIRECT_IO_AUTO), &file,
                                          &err), -1);
  assert_error (&err, ERROR_USAGE, message);
  file_close (&file);
}

static void
test_descriptors (void **state)
{
  struct error err = { 0 };
  struct file file;
  int ends[2], appending;

  (void) state;
  assert_int_equal (pipe (ends), 0);
  wrong_direction (ends[0], FILE_WRITE, "is not open for writing");
  wrong_direction (ends[1], FILE_READ, "is not open for reading");
  assert_int_equal (file_take_descriptor (ends[0], "fd:N", FILE_READ,
                                          FILE_HOW (DIRECT_IO_ON), &file, &err),
                    0);
  assert_true (file.stream);
  assert_false (file.regular);
  scratch_close (&file);
  assert_int_equal (write (ends[1], "x", 1), 1);       /* still open */
  close (ends[0]);
  close (ends[1]);

  appending = open (scratch_path ("file"), O_WRONLY | O_APPEND | O_CREAT,
                    0600);
  assert_true (appending >= 0);
  wrong_direction (appending, FILE_WRITE, "is open for appending");
  close (appending);
}

/* The caller's descriptor keeps its flags and its place. */
static void
test_descriptor_untouched (void **state)
{
  struct error err = { 0 };
  struct file file;
  uint8_t byte;
  int fd = open (scratch_file ("file", SIZE), O_RDONLY);
  int flags = fcntl (fd, F_GETFL);

  (void) state;
  assert_true (fd >= 0);
  assert_int_equal (lseek (fd, 1234, SEEK_SET), 1234);
  assert_int_equal (file_take_descriptor (fd, "fd:N", FILE_READ,
                                          FILE_HOW (DIRECT_IO_AUTO), &file,
                                          &err), 0);
  assert_int_equal (file_read_at (&file, 3, &byte, 1, &err), 0);
  assert_int_equal (byte, pattern_byte (3));
  scratch_close (&file);
  assert_int_equal (fcntl (fd, F_GETFL), flags);
  assert_int_equal (lseek (fd, 0, SEEK_CUR), 1234);
  close (fd);
}

static void
test_take_opened (void **state)
{
  struct error err = { 0 };
  struct file file;
  struct stat st;

  (void) state;
  scratch_open (scratch_path ("new"), DIRECT_IO_AUTO, &file);
  assert_int_equal (stat (file.name, &st), 0);
  assert_int_equal (st.st_mode & 07777, 0600);
  assert_int_equal (st.st_size, 0);
  scratch_close (&file);

  /* One that is there keeps its bytes until it is truncated. */
  scratch_open (scratch_file ("old", 5000), DIRECT_IO_AUTO, &file);
  check_pattern_file (file.name, 5000);
  assert_int_equal (file_truncate (&file, 4097, &err), 0);
  check_pattern_file (file.name, 4097);
  assert_int_equal (file_truncate (&file, 0, &err), 0);
  check_pattern_file (file.name, 0);
  scratch_close (&file);
}

static void
test_closed (void **state)
{
  struct file file = FILE_CLOSED;

  (void) state;
  file_close (&file);
  scratch_open (scratch_path ("file"), DIRECT_IO_OFF, &file);
  scratch_close (&file);
  assert_int_equal (file.fd, -1);
  scratch_close (&file);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_descriptor_of),
    cmocka_unit_test (test_refused),
    cmocka_unit_test (test_absent),
    cmocka_unit_test (test_descriptors),
    cmocka_unit_test (test_descriptor_untouched),
    cmocka_unit_test (test_take_opened),
    cmocka_unit_test (test_closed),
  };

  return cmocka_run_group_tests (tests, scratch_setup, scratch_teardown);
}
