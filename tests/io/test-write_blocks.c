/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/io/write_blocks.c on real files. */

#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/assert_error.h"
#include "io/scratch.h"
#include "io/write_blocks.h"
#include "util/bytes.h"

#define BLOCK WRITE_BLOCK_BYTES

static struct file file;
static struct write_blocks *blocks;

static int
set_up (void **state)
{
  struct error err = { 0 };

  (void) state;
  scratch_open (scratch_path ("file"), DIRECT_IO_AUTO, &file);
  return write_blocks_open (&file, &blocks, &err);
}

static int
tear_down (void **state)
{
  (void) state;
  write_blocks_close (blocks);
  scratch_close (&file);
  return 0;
}

static struct write_block *
next (uint64_t offset)
{
  struct error err = { 0 };
  struct write_block *block =
    write_blocks_next (blocks, offset, NULL, 0, &err);

  assert_non_null (block);
  assert_int_equal (block->offset, offset);
  assert_int_equal (block->used, 0);
  return block;
}

/* Let bytes START to END of BLOCK come. */
static bool
fill (struct write_block *block, size_t start, size_t end)
{
  uint8_t *bytes = pattern_bytes (block->offset + start, end - start);
  bool complete =
    write_blocks_fill (blocks, block, start, bytes, end - start);

  free (bytes);
  return complete;
}

static void
queue (struct write_block *block)
{
  struct error err = { 0 };

  write_blocks_reserve (blocks, block, BLOCK);
  assert_int_equal (block->used, BLOCK);
  assert_int_equal (write_blocks_queue (blocks, block, &err), 0);
}

static void
wait_for_all (void)
{
  struct error err = { 0 };

  assert_int_equal (write_blocks_wait (blocks, &err), 0);
  assert_true (write_blocks_idle (blocks));
  assert_int_equal (write_blocks_lowest (blocks), UINT64_MAX);
}

/* A block goes when its last byte is there. */
static void
test_waits_for_bytes (void **state)
{
  struct write_block *block = next (0);
  struct error err = { 0 };

  (void) state;
  queue (block);
  assert_int_equal (write_blocks_poll (blocks, &err), 0);
  assert_false (write_blocks_idle (blocks));
  assert_int_equal (write_blocks_lowest (blocks), 0);
  assert_false (fill (block, 1000, BLOCK));
  assert_int_equal (write_blocks_poll (blocks, &err), 0);
  assert_int_equal (write_blocks_lowest (blocks), 0);
  assert_true (fill (block, 0, 1000));
  wait_for_all ();
  check_pattern_start (file.name, BLOCK);
}

/* Bytes that are there before a block is full are no news. */
static void
test_filled_before_queued (void **state)
{
  struct write_block *block = next (0);
  struct error err = { 0 };

  (void) state;
  write_blocks_reserve (blocks, block, BLOCK);
  assert_false (fill (block, 0, BLOCK));
  assert_int_equal (write_blocks_queue (blocks, block, &err), 0);
  wait_for_all ();
  check_pattern_start (file.name, BLOCK);
}

/* What has been written has been written up to some offset. */
static void
test_in_order (void **state)
{
  struct write_block *first = next (0), *second;
  struct error err = { 0 };

  (void) state;
  queue (first);
  second = next (BLOCK);
  queue (second);
  fill (second, 0, BLOCK);
  assert_int_equal (write_blocks_poll (blocks, &err), 0);
  assert_int_equal (write_blocks_lowest (blocks), 0);
  assert_true (fill (first, 0, BLOCK));
  wait_for_all ();
  check_pattern_start (file.name, 2 * BLOCK);
}

struct later {
  struct write_block *block;
  size_t end;
};

static void *
fill_later (void *opaque)
{
  const struct later *later = opaque;
  struct timespec time = { .tv_nsec = 30000000 };

  nanosleep (&time, NULL);
  fill (later->block, 0, later->end);
  return NULL;
}

/* Blocks are all taken until another thread brings what one waits for. */
static void
test_next_waits (void **state)
{
  struct later later = { .end = BLOCK };
  struct write_block *block;
  pthread_t thread;
  uint64_t offset;

  (void) state;
  later.block = next (0);
  queue (later.block);
  assert_int_equal (pthread_create (&thread, NULL, fill_later, &later), 0);
  for (offset = BLOCK; offset < 9 * BLOCK; offset += BLOCK) {
    block = next (offset);
    queue (block);
    fill (block, 0, BLOCK);
  }
  pthread_join (thread, NULL);
  wait_for_all ();
  check_pattern_start (file.name, 9 * BLOCK);
}

static void *
read_all (void *opaque)
{
  const int *fd = opaque;
  static uint8_t buffer[65536];
  size_t length = 0;
  ssize_t count;

  while ((count = read (*fd, buffer, sizeof buffer)) > 0)
    length += (size_t) count;
  return (void *) length;
}

/* A block for more is to be had while the last one waits for bytes that the same
 * caller is to bring, also where all others are free as soon as they start.
 */
static void
test_next_does_not_wait_for_last (void **state)
{
  struct write_blocks *streaming;
  struct write_block *list[4];
  struct error err = { 0 };
  struct file pipe_end;
  pthread_t thread;
  void *length;
  unsigned int i;
  int ends[2];

  (void) state;
  assert_int_equal (pipe (ends), 0);
  assert_int_equal (file_take_descriptor (ends[1], "fd:N", FILE_WRITE,
                                          FILE_HOW (DIRECT_IO_AUTO), &pipe_end,
                                          &err), 0);
  assert_int_equal (pthread_create (&thread, NULL, read_all, &ends[0]), 0);
  assert_int_equal (write_blocks_open (&pipe_end, &streaming, &err), 0);
  for (i = 0; i < 4; i++) {
    list[i] = write_blocks_next (streaming, i * BLOCK, NULL, 0, &err);
    assert_non_null (list[i]);
    write_blocks_reserve (streaming, list[i], BLOCK);
    assert_int_equal (write_blocks_queue (streaming, list[i], &err), 0);
  }
  for (i = 0; i < 3; i++)
    write_blocks_fill (streaming, list[i], 0, list[i]->bytes, BLOCK);
  assert_non_null (write_blocks_next (streaming, 4 * BLOCK, NULL, 0, &err));
  assert_int_equal (write_blocks_lowest (streaming), 3 * BLOCK);
  write_blocks_fill (streaming, list[3], 0, list[3]->bytes, BLOCK);
  assert_int_equal (write_blocks_wait (streaming, &err), 0);
  write_blocks_close (streaming);
  scratch_close (&pipe_end);
  close (ends[1]);
  pthread_join (thread, &length);
  close (ends[0]);
  assert_int_equal (length, 4 * BLOCK);
}

/* A part of a block, behind one that is queued. */
static void
test_start_waits (void **state)
{
  struct later later = { .end = 5000 };
  struct error err = { 0 };
  struct write_block *first = next (0);
  pthread_t thread;

  (void) state;
  queue (first);
  fill (first, 0, BLOCK);
  later.block = next (BLOCK);
  write_blocks_reserve (blocks, later.block, 5000);
  assert_int_equal (pthread_create (&thread, NULL, fill_later, &later), 0);
  assert_int_equal (write_blocks_start (blocks, later.block, 4096, &err), 0);
  pthread_join (thread, NULL);
  wait_for_all ();
  check_pattern_start (file.name, BLOCK + 4096);
}

/* Bytes come along, also into the block that they are in. */
static void
test_bytes_come_along (void **state)
{
  struct error err = { 0 };
  struct write_block *block = next (0);
  uint64_t offset = 0;
  unsigned int i;

  (void) state;
  for (i = 0; i < 20; i++) {
    const uint8_t *rest = block->bytes + 4096;

    write_blocks_reserve (blocks, block, 5000 - block->used);
    fill (block, i > 0 ? 904 : 0, 5000);
    assert_int_equal (write_blocks_start (blocks, block, 4096, &err), 0);
    if (i % 2 == 0)
      wait_for_all ();
    offset += 4096;
    block = write_blocks_next (blocks, offset, rest, 904, &err);
    assert_non_null (block);
    assert_int_equal (block->used, 904);
  }
  wait_for_all ();
  check_pattern_start (file.name, offset);
}

/* What could not be written does not count as written. */
static void
test_write_error (void **state)
{
  struct error err = { 0 };
  struct write_blocks *broken;
  struct write_block *block;
  struct file closed;

  (void) state;
  assert_int_equal (file_open (scratch_file ("other", 10), FILE_READ,
                               FILE_HOW (DIRECT_IO_OFF), &closed, &err), 0);
  assert_int_equal (write_blocks_open (&closed, &broken, &err), 0);
  block = write_blocks_next (broken, 0, NULL, 0, &err);
  assert_non_null (block);
  assert_int_equal (write_blocks_start (broken, block, 4096, &err), 0);
  assert_int_equal (write_blocks_wait (broken, &err), -1);
  assert_error (&err, ERROR_FAILED, "cannot be written");
  assert_int_equal (write_blocks_lowest (broken), 0);
  assert_int_equal (write_blocks_poll (broken, &err), -1);
  assert_int_equal (write_blocks_wait (broken, &err), -1);
  assert_null (write_blocks_next (broken, BLOCK, NULL, 0, &err));
  assert_error (&err, ERROR_FAILED, "cannot be written");
  write_blocks_close (broken);
  scratch_close (&closed);
}

/* The reader has gone: the block stays what has not been written, and nobody waits
 * for those that will never be filled.
 */
static void
test_stream_error (void **state)
{
  struct write_blocks *broken;
  struct write_block *first, *second;
  struct error err = { 0 };
  struct file pipe_end;
  int ends[2];

  (void) state;
  signal (SIGPIPE, SIG_IGN);
  assert_int_equal (pipe (ends), 0);
  close (ends[0]);
  assert_int_equal (file_take_descriptor (ends[1], "fd:N", FILE_WRITE,
                                          FILE_HOW (DIRECT_IO_AUTO), &pipe_end,
                                          &err), 0);
  assert_int_equal (write_blocks_open (&pipe_end, &broken, &err), 0);
  first = write_blocks_next (broken, 0, NULL, 0, &err);
  write_blocks_reserve (broken, first, BLOCK);
  assert_int_equal (write_blocks_queue (broken, first, &err), 0);
  second = write_blocks_next (broken, BLOCK, NULL, 0, &err);
  write_blocks_reserve (broken, second, BLOCK);
  assert_int_equal (write_blocks_queue (broken, second, &err), 0);
  write_blocks_fill (broken, first, 0, first->bytes, BLOCK);
  write_blocks_wind_down (broken);
  assert_int_equal (write_blocks_poll (broken, &err), -1);
  assert_error (&err, ERROR_FAILED, "cannot be written");
  assert_int_equal (err.errnum, EPIPE);
  assert_int_equal (write_blocks_lowest (broken), 0);
  assert_int_equal (write_blocks_wait (broken, &err), -1);
  assert_int_equal (write_blocks_start (broken, second, 4096, &err), -1);
  assert_int_equal (write_blocks_queue (broken, second, &err), -1);
  write_blocks_close (broken);
  scratch_close (&pipe_end);
  close (ends[1]);
}

/* Whatever is missing or in flight. */
static void
test_close (void **state)
{
  struct write_block *first = next (0);
  struct error err = { 0 };

  (void) state;
  write_blocks_reserve (blocks, first, BLOCK);
  fill (first, 0, BLOCK);
  assert_int_equal (write_blocks_queue (blocks, first, &err), 0);
  queue (next (BLOCK));
  write_blocks_close (NULL);
}

#define TEST(name) \
  cmocka_unit_test_setup_teardown (test_##name, set_up, tear_down)

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    TEST (waits_for_bytes),
    TEST (filled_before_queued),
    TEST (in_order),
    TEST (next_waits),
    TEST (next_does_not_wait_for_last),
    TEST (start_waits),
    TEST (bytes_come_along),
    TEST (write_error),
    TEST (stream_error),
    TEST (close),
  };

  return cmocka_run_group_tests (tests, scratch_setup, scratch_teardown);
}
