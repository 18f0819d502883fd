/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/io/writer.c on real files and pipes. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/assert_error.h"
#include "io/scratch.h"
#include "io/writer.h"
#include "util/bytes.h"

#define MIB ((size_t) 1 << 20)

static struct writer *
new_writer (struct file *file, uint64_t offset)
{
  struct error err = { 0 };
  struct writer *writer = NULL;

  assert_int_equal (writer_open (file, offset, &writer, &err), 0);
  assert_int_equal (writer_offset (writer), offset);
  return writer;
}

/* Append the pattern up to END in pieces of PIECE bytes. */
static void
append_to (struct writer *writer, size_t end, size_t piece)
{
  struct error err = { 0 };
  size_t start = (size_t) writer_offset (writer), done = 0;
  uint8_t *bytes = pattern_bytes (start, end - start);

  while (start + done < end) {
    size_t part = (size_t) minimum_u64 (piece, end - start - done);

    assert_int_equal (writer_append (writer, bytes + done, part, &err), 0);
    done += part;
    assert_int_equal (writer_offset (writer), start + done);
    assert_true (writer_completed (writer) <= writer_offset (writer));
  }
  free (bytes);
}

/* Over what stood in the file before, which was longer. */
static void
write_file (enum direct_io direct, size_t length, size_t piece)
{
  const char *path = scratch_file ("file", 9 * MIB);
  struct error err = { 0 };
  struct writer *writer;
  struct file file;

  scratch_open (path, direct, &file);
  assert_int_equal (file_truncate (&file, 0, &err), 0);
  writer = new_writer (&file, 0);
  append_to (writer, length, piece);
  assert_int_equal (writer_finish (writer, &err), 0);
  assert_int_equal (writer_offset (writer), length);
  writer_close (writer);
  check_pattern_file (file.name, length);
  scratch_close (&file);
}

static void
write_files (enum direct_io direct)
{
  static const size_t lengths[] = {
    0, 1, 511, 4095, 4096, 4097, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1,
    11 * MIB + 12345, 34 * MIB + 1,
  };
  size_t i;

  for (i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    write_file (direct, lengths[i], 100003);
    write_file (direct, lengths[i], 3 * MIB);
  }
  write_file (direct, 9001, 1);
}

static void
test_buffered (void **state)
{
  (void) state;
  write_files (DIRECT_IO_OFF);
}

static void
test_direct (void **state)
{
  (void) state;
  write_files (DIRECT_IO_ON);
}

/* Zeros between bytes, whatever the blocks held before. */
static void
test_zeros (void **state)
{
  struct error err = { 0 };
  struct writer *writer;
  struct file file, again;
  uint8_t bytes[3];

  (void) state;
  scratch_open (scratch_path ("file"), DIRECT_IO_AUTO, &file);
  writer = new_writer (&file, 0);
  append_to (writer, 6 * MIB, MIB);
  assert_int_equal (writer_append_zeros (writer, 6 * MIB + 1, &err), 0);
  assert_int_equal (writer_append_zeros (writer, 0, &err), 0);
  assert_int_equal (writer_offset (writer), 12 * MIB + 1);
  assert_int_equal (writer_append (writer, "end", 3, &err), 0);
  assert_int_equal (writer_finish (writer, &err), 0);
  writer_close (writer);
  assert_int_equal (file_read_at (&file, 12 * MIB + 1, bytes, 3, &err), 0);
  assert_memory_equal (bytes, "end", 3);
  assert_int_equal (lseek (file.fd, 0, SEEK_END), 12 * MIB + 4);

  assert_int_equal (file_open (file.name, FILE_READ, FILE_HOW (DIRECT_IO_OFF),
                               &again, &err), 0);
  for (uint64_t i = 6 * MIB; i < 12 * MIB; i += 65537) {
    assert_int_equal (file_read_at (&again, i, bytes, 1, &err), 0);
    assert_int_equal (bytes[0], 0);
  }
  scratch_close (&again);
  assert_int_equal (file_truncate (&file, 6 * MIB, &err), 0);
  check_pattern_file (file.name, 6 * MIB);
  scratch_close (&file);
}

/* From the middle of a file on, at the start of a page or within one. */
static void
go_on_from (enum direct_io direct, size_t offset)
{
  struct error err = { 0 };
  struct writer *writer;
  struct file file;

  scratch_open (scratch_file ("file", offset), direct, &file);
  writer = new_writer (&file, offset);
  append_to (writer, offset + 9 * MIB + 77, 50000);
  assert_int_equal (writer_finish (writer, &err), 0);
  writer_close (writer);
  check_pattern_file (file.name, offset + 9 * MIB + 77);
  scratch_close (&file);
}

static void
test_offset (void **state)
{
  static const size_t offsets[] = {
    1, 4095, 4096, 5000, MIB, 6 * MIB + 8192, 9 * MIB + 1234,
  };
  size_t i;

  (void) state;
  for (i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
    go_on_from (DIRECT_IO_OFF, offsets[i]);
    go_on_from (DIRECT_IO_AUTO, offsets[i]);
  }
}

/* After a push all but the last part of a page is in the file. */
static void
test_push (void **state)
{
  struct error err = { 0 };
  struct writer *writer;
  struct file file;
  size_t length;

  (void) state;
  scratch_open (scratch_path ("file"), DIRECT_IO_AUTO, &file);
  writer = new_writer (&file, 0);
  for (length = 100000; length < 10 * MIB; length += 954321) {
    append_to (writer, length, 70000);
    assert_int_equal (writer_push (writer, &err), 0);
    assert_int_equal (writer_offset (writer), length);
    assert_true (writer_completed (writer) + PAGE_BYTES > length);
    assert_true (writer_completed (writer) <= length);
    check_pattern_start (file.name, align_down (length, PAGE_BYTES));
  }
  append_to (writer, length, length);
  assert_int_equal (writer_poll (writer, &err), 0);
  assert_int_equal (writer_finish (writer, &err), 0);
  writer_close (writer);
  check_pattern_file (file.name, length);
  scratch_close (&file);
}

/* After it settled all is in the file, and what follows is not disturbed. */
static void
settle (enum direct_io direct)
{
  static const size_t lengths[] = {
    4096, 4097, 4097, 9000, MIB, 5 * MIB + 77, 12 * MIB, 12 * MIB + 1,
  };
  struct error err = { 0 };
  struct writer *writer;
  struct file file;
  size_t i;

  scratch_open (scratch_path ("file"), direct, &file);
  writer = new_writer (&file, 0);
  for (i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    append_to (writer, lengths[i], 70000);
    assert_int_equal (writer_settle (writer, &err), 0);
    assert_int_equal (writer_offset (writer), lengths[i]);
    check_pattern_start (file.name, lengths[i]);
  }
  append_to (writer, 12 * MIB + 100, 1);
  assert_int_equal (writer_finish (writer, &err), 0);
  writer_close (writer);
  check_pattern_file (file.name, 12 * MIB + 100);
  scratch_close (&file);
}

static void
test_settle (void **state)
{
  (void) state;
  settle (DIRECT_IO_OFF);
  settle (DIRECT_IO_AUTO);
}

/* Places that were reserved, for threads to fill, the last one first. */
struct places {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct writer *writer;
  struct reserved {
    struct writer_place place;
    size_t start, length;      /* in the file */
  } list[7];
  unsigned int count;
  bool ended;
};

static void *
fill_places (void *opaque)
{
  struct places *places = opaque;

  pthread_mutex_lock (&places->lock);
  while (places->count > 0 || !places->ended) {
    struct reserved taken;
    uint8_t *bytes;

    if (places->count == 0) {
      pthread_cond_wait (&places->changed, &places->lock);
      continue;
    }
    taken = places->list[--places->count];
    pthread_cond_broadcast (&places->changed);
    pthread_mutex_unlock (&places->lock);
    bytes = pattern_bytes (taken.start, taken.length);
    writer_fill (places->writer, &taken.place, bytes);
    free (bytes);
    pthread_mutex_lock (&places->lock);
  }
  pthread_mutex_unlock (&places->lock);
  return NULL;
}

static void
reserve (struct places *places, size_t length)
{
  struct reserved reserved = {
    .start = (size_t) writer_offset (places->writer),
    .length = length,
  };
  struct error err = { 0 };

  assert_int_equal (writer_reserve (places->writer, length, &reserved.place,
                                    &err), 0);
  assert_int_equal (writer_offset (places->writer), reserved.start + length);
  assert_true (writer_completed (places->writer) <= reserved.start);
  pthread_mutex_lock (&places->lock);
  while (places->count == sizeof places->list / sizeof places->list[0])
    pthread_cond_wait (&places->changed, &places->lock);
  places->list[places->count++] = reserved;
  pthread_cond_broadcast (&places->changed);
  pthread_mutex_unlock (&places->lock);
}

/* Returns the file's length: what three threads fill and what is appended in
 * between.
 */
static size_t
fill_from_threads (struct writer *writer)
{
  struct places places = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER,
    .writer = writer,
  };
  struct error err = { 0 };
  pthread_t threads[3];
  size_t length;
  unsigned int i;

  for (i = 0; i < 3; i++)
    assert_int_equal (pthread_create (&threads[i], NULL, fill_places,
                                      &places), 0);
  for (i = 0; i < 60; i++) {
    reserve (&places, i % 20 == 7 ? WRITER_RESERVE_MAX : 1 + i * 21001);
    if (i % 9 == 0)
      append_to (writer, (size_t) writer_offset (writer) + 12345, 6000);
    assert_int_equal (writer_poll (writer, &err), 0);
  }
  pthread_mutex_lock (&places.lock);
  places.ended = true;
  pthread_cond_broadcast (&places.changed);
  pthread_mutex_unlock (&places.lock);
  length = (size_t) writer_offset (writer);
  assert_int_equal (writer_finish (writer, &err), 0);
  for (i = 0; i < 3; i++)
    pthread_join (threads[i], NULL);
  return length;
}

static void
test_fill (void **state)
{
  static const enum direct_io directs[] = { DIRECT_IO_OFF, DIRECT_IO_AUTO };
  struct error err = { 0 };
  struct file file;
  size_t i, length;

  (void) state;
  /* Once for each, then again with as little memory as may be. */
  for (i = 0; i < 4; i++) {
    struct writer *writer;

    scratch_open (scratch_path ("file"), directs[i % 2], &file);
    file.how.frugal = i >= 2;
    writer = new_writer (&file, 0);
    assert_int_equal (writer_sync_early (writer, &err), 0);
    length = fill_from_threads (writer);
    writer_close (writer);
    check_pattern_file (file.name, length);
    scratch_close (&file);
  }
}

/* What a pipe gives is read slowly by another thread. */
struct reader {
  int fd;
  size_t length;
  bool right;
};

static void *
reader_main (void *opaque)
{
  struct reader *reader = opaque;
  uint8_t buffer[30011];
  ssize_t count, i;

  reader->right = true;
  while ((count = read (reader->fd, buffer, sizeof buffer)) > 0)
    for (i = 0; i < count; i++)
      reader->right &= buffer[i] == pattern_byte (reader->length++);
  return NULL;
}

static size_t
append_at_once (struct writer *writer)
{
  struct error err = { 0 };

  append_to (writer, 18 * MIB + 4321, 99999);
  assert_int_equal (writer_finish (writer, &err), 0);
  return 18 * MIB + 4321;
}

static void
write_pipe (int flags, size_t (*write_all) (struct writer *writer))
{
  struct error err = { 0 };
  struct writer *writer;
  struct reader reader = { 0 };
  struct file file;
  pthread_t thread;
  size_t length;
  int ends[2];

  assert_int_equal (pipe (ends), 0);
  assert_int_equal (fcntl (ends[1], F_SETFL, flags), 0);
  reader.fd = ends[0];
  assert_int_equal (file_take_descriptor (ends[1], "fd:N", FILE_WRITE,
                                          FILE_HOW (DIRECT_IO_AUTO), &file,
                                          &err), 0);
  assert_true (file.stream);
  assert_int_equal (pthread_create (&thread, NULL, reader_main, &reader), 0);
  writer = new_writer (&file, 0);
  length = write_all (writer);
  writer_close (writer);
  scratch_close (&file);
  close (ends[1]);
  pthread_join (thread, NULL);
  close (ends[0]);
  assert_true (reader.right);
  assert_int_equal (reader.length, length);
}

static void
test_pipe (void **state)
{
  (void) state;
  write_pipe (0, append_at_once);
  write_pipe (O_NONBLOCK, append_at_once);
  write_pipe (O_NONBLOCK, fill_from_threads);
}

static void
test_broken_pipe (void **state)
{
  struct error err = { 0 };
  struct writer *writer;
  struct file file;
  int ends[2];
  int result;

  (void) state;
  signal (SIGPIPE, SIG_IGN);
  assert_int_equal (pipe (ends), 0);
  close (ends[0]);
  assert_int_equal (file_take_descriptor (ends[1], "fd:N", FILE_WRITE,
                                          FILE_HOW (DIRECT_IO_AUTO), &file,
                                          &err), 0);
  writer = new_writer (&file, 0);
  result = writer_append (writer, "x", 1, &err);
  if (result == 0)
    result = writer_finish (writer, &err);
  assert_int_equal (result, -1);
  assert_error (&err, ERROR_FAILED, "cannot be written");
  assert_int_equal (err.errnum, EPIPE);
  assert_string_equal (err.subject, "fd:N");
  writer_close (writer);
  close (ends[1]);
}

/* The error of a block comes up with a later call. */
static void
test_write_error (void **state)
{
  struct error err = { 0 };
  struct writer *writer;
  struct file file;
  int result;

  (void) state;
  assert_int_equal (file_open (scratch_file ("file", 10), FILE_READ,
                               FILE_HOW (DIRECT_IO_OFF), &file, &err), 0);
  writer = new_writer (&file, 0);
  result = writer_append_zeros (writer, 20 * MIB, &err);
  if (result == 0)
    result = writer_finish (writer, &err);
  assert_int_equal (result, -1);
  assert_error (&err, ERROR_FAILED, "cannot be written");
  assert_int_equal (err.errnum, EBADF);
  writer_close (writer);
  scratch_close (&file);
}

/* Without a finish nothing is promised, and nothing leaks or is still being
 * written.
 */
static void
test_abandon (void **state)
{
  struct writer *writer;
  struct file file;

  (void) state;
  scratch_open (scratch_path ("file"), DIRECT_IO_AUTO, &file);
  writer = new_writer (&file, 0);
  append_to (writer, 3 * MIB + 1, MIB);
  writer_close (writer);
  writer_close (NULL);
  scratch_close (&file);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_buffered),
    cmocka_unit_test (test_direct),
    cmocka_unit_test (test_zeros),
    cmocka_unit_test (test_offset),
    cmocka_unit_test (test_push),
    cmocka_unit_test (test_settle),
    cmocka_unit_test (test_fill),
    cmocka_unit_test (test_pipe),
    cmocka_unit_test (test_broken_pipe),
    cmocka_unit_test (test_write_error),
    cmocka_unit_test (test_abandon),
  };

  return cmocka_run_group_tests (tests, scratch_setup, scratch_teardown);
}
