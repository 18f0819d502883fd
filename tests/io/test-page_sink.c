/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/pipeline/page_sink.c, sparse_sink.c and dense_sink.c: the same pages
 * into files, and in order.
 */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/scratch.h"
#include "lib/assert_error.h"
#include "pipeline/page_sink.h"
#include "util/buffer.h"
#include "util/bytes.h"

#define CHUNK 65536u
#define CHUNK_PAGES (CHUNK / PAGE_BYTES)
#define PREFIX 5000u
#define SOURCE (4u * CHUNK + PAGE_BYTES + 100u)

/* The pages that are present: of window 0 those after the prefix's own, none of
 * window 1, every second one of window 2, none of 3, both of 4.
 */
static bool
is_present (uint64_t page)
{
  uint64_t window = page / CHUNK_PAGES;

  return window == 0 ? page >= 2 && page < 6
    : window == 2 ? page % 2 == 1 : window == 4;
}

static uint8_t prefix[PREFIX];

static struct image
new_image (void)
{
  size_t i;

  for (i = 0; i < PREFIX; i++)
    prefix[i] = pattern_byte (i);
  return (struct image) {
    .header = {
      .chunk_bytes = CHUNK,
      .source_bytes = SOURCE,
      .prefix_bytes = PREFIX,
    },
    .prefix = prefix,
  };
}

static void
check_output (const char *path)
{
  uint8_t bytes[SOURCE + 1];
  int fd = open (path, O_RDONLY);
  uint64_t i;

  assert_true (fd >= 0);
  assert_int_equal (read (fd, bytes, sizeof bytes), SOURCE);
  close (fd);
  for (i = 0; i < SOURCE; i++) {
    uint8_t wanted = i < PREFIX || is_present (i / PAGE_BYTES)
      ? pattern_byte (i) : 0;

    if (bytes[i] != wanted)
      fail_msg ("byte %llu is %u", (unsigned long long) i, bytes[i]);
  }
}

/* Put the present pages of WINDOW together, as a worker does. */
static void
fill (struct slot *slot, uint64_t window)
{
  uint64_t i, page;

  memset (slot->window.map, 0, sizeof slot->window.map);
  memset (slot->raw, 0, CHUNK);
  slot->window.number = window;
  slot->window.pages = slot->raw;
  slot->window.page_count = 0;
  slot->error = (struct error) { 0 };
  for (page = 0; page < CHUNK_PAGES; page++) {
    uint64_t start = (window * CHUNK_PAGES + page) * PAGE_BYTES;

    if (start >= SOURCE || !is_present (start / PAGE_BYTES))
      continue;
    slot->window.map[page / 8] |= (uint8_t) (1u << (page % 8));
    for (i = 0; i < PAGE_BYTES && start + i < SOURCE; i++)
      slot->raw[slot->window.page_count * PAGE_BYTES + i] = pattern_byte (start + i);
    slot->window.page_count++;
  }
}

/* Hand all windows to SINK.  Returns how many it kept. */
static unsigned int
feed (const struct sink *sink, struct slot *slot)
{
  struct error err = { 0 };
  unsigned int kept = 0;
  uint64_t window;

  for (window = 0; window <= SOURCE / CHUNK; window++) {
    int answer;

    fill (slot, window);
    answer = sink->begin (sink->opaque, slot, &err);
    assert_int_equal (err.kind, ERROR_NONE);
    if (answer == SINK_KEEP) {
      struct slot *back = NULL;

      kept++;
      sink->finish (sink->opaque, true, &back);
      assert_ptr_equal (back, slot);
      assert_int_equal (back->error.kind, ERROR_NONE);
    }
    else
      assert_int_equal (answer, SINK_DONE);
  }
  return kept;
}

typedef int opener (struct file *output, const struct image *image,
                    struct sink *sink, struct error *err);

static unsigned int
check_sink (opener *open_sink, enum direct_io direct)
{
  const char *path = scratch_path ("output");
  struct image image = new_image ();
  struct error err = { 0 };
  struct slot slot = { .raw = buffer_allocate (CHUNK) };
  struct sink sink = SINK_CLOSED;
  struct file file;
  unsigned int kept;

  assert_non_null (slot.raw);
  close (open (path, O_CREAT | O_RDWR, 0600));
  scratch_open (path, direct, &file);
  assert_int_equal (open_sink (&file, &image, &sink, &err), 0);
  kept = feed (&sink, &slot);
  assert_int_equal (sink_complete (&sink, &err), 0);
  sink_close (&sink);
  scratch_close (&file);
  check_output (path);
  buffer_free (slot.raw, CHUNK);
  return kept;
}

/* Of windows without pages there is nothing to keep. */
static void
test_sparse (void **state)
{
  (void) state;
  assert_int_equal (check_sink (sparse_sink_open, DIRECT_IO_OFF), 3);
}

static void
test_sparse_direct (void **state)
{
  (void) state;
  assert_int_equal (check_sink (sparse_sink_open, DIRECT_IO_ON), 3);
}

static void
test_dense (void **state)
{
  (void) state;
  assert_int_equal (check_sink (dense_sink_open, DIRECT_IO_OFF), 0);
}

static void
test_dense_direct (void **state)
{
  (void) state;
  assert_int_equal (check_sink (dense_sink_open, DIRECT_IO_ON), 0);
}

static void
test_choice (void **state)
{
  (void) state;
  assert_int_equal (check_sink (page_sink_open, DIRECT_IO_OFF), 3);
}

/* A device that is too small is refused before it is touched. */
static void
test_room (void **state)
{
  struct file file = { .fd = -1, .size = SOURCE - 1, .name = "device" };
  struct image image = new_image ();
  struct sink sink = SINK_CLOSED;
  struct error err = { 0 };

  (void) state;
  assert_int_equal (page_sink_open (&file, &image, &sink, &err), -1);
  assert_error (&err, ERROR_FAILED, "has room for");
  assert_int_equal (err.errnum, ENOSPC);
}

static void
test_null (void **state)
{
  struct sink sink = null_sink ();
  struct slot slot = { .raw = NULL };
  struct error err = { 0 };

  (void) state;
  assert_int_equal (sink.begin (sink.opaque, &slot, &err), SINK_DONE);
  assert_int_equal (sink_complete (&sink, &err), 0);
  sink_close (&sink);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_sparse),
    cmocka_unit_test (test_sparse_direct),
    cmocka_unit_test (test_dense),
    cmocka_unit_test (test_dense_direct),
    cmocka_unit_test (test_choice),
    cmocka_unit_test (test_room),
    cmocka_unit_test (test_null),
  };

  return cmocka_run_group_tests (tests, scratch_setup, scratch_teardown);
}
