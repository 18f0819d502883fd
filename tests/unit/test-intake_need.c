/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit tests of src/pipeline/intake_need.c: what is read of a source. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/intake_need.h"
#include "util/bytes.h"

#define SIZE (UINT64_C (64) * PAGE_BYTES)

/* Two page regions: pages 8 to 15, of which 9 and 10 are present, and pages 40
 * to 43, of which 42 is.
 */
static uint8_t bitmaps[2][8] = { { 0x06 }, { 0x04 } };
static struct ram_block blocks[] = {
  { .used_bytes = 8 * PAGE_BYTES, .page_bytes = PAGE_BYTES,
    .pages_offset = 8 * PAGE_BYTES, .page_count = 8, .bitmap = bitmaps[0] },
  { .used_bytes = 4 * PAGE_BYTES, .page_bytes = PAGE_BYTES,
    .pages_offset = 40 * PAGE_BYTES, .page_count = 4, .bitmap = bitmaps[1] },
};
static const struct mapped_ram ram = { .block_count = 2, .blocks = blocks };

/* The file system knows of pages 0, 12, 30 and 63. */
static uint64_t
next_data (void *opaque, uint64_t offset)
{
  static const uint64_t pages[] = { 0, 12, 30, 63 };
  size_t i;

  (void) opaque;
  for (i = 0; i < sizeof pages / sizeof pages[0]; i++)
    if (offset < (pages[i] + 1) * PAGE_BYTES)
      return maximum_u64 (offset, pages[i] * PAGE_BYTES);
  return SIZE;
}

/* Reading what NEED says takes the pages of the list, which ends with 64. */
static void
assert_pages (const struct intake_need *need, const uint64_t *pages)
{
  const struct read_at file = { .next_data = next_data, .size = SIZE };
  uint64_t offset;

  for (offset = 0; ; pages++) {
    uint64_t next = intake_need_next (need, &file, offset);

    assert_int_equal (next, *pages * PAGE_BYTES);
    if (next == SIZE)
      return;
    offset = next + PAGE_BYTES;
  }
}

static void
test_raw (void **state)
{
  static const uint64_t pages[] = { 0, 12, 30, 63, 64 };
  struct intake_need need = { 0 };
  uint64_t all[65];
  size_t i;

  (void) state;
  assert_pages (&need, pages);
  for (i = 0; i < sizeof all / sizeof all[0]; i++)
    all[i] = i;
  need.holes = true;
  assert_pages (&need, all);
}

/* Beside the memory holes are left out; within it the bitmaps decide. */
static void
test_holes_left_out (void **state)
{
  static const uint64_t pages[] = { 0, 9, 10, 30, 42, 63, 64 };
  static const uint64_t exact[] = { 0, 9, 10, 12, 30, 42, 63, 64 };
  struct intake_need need = { .ram = &ram };

  (void) state;
  assert_pages (&need, pages);
  need.exact = true;
  assert_pages (&need, exact);
}

static void
test_holes_read (void **state)
{
  struct intake_need need = { .ram = &ram, .holes = true };
  uint64_t pages[65];
  size_t count = 0;
  uint64_t page;

  (void) state;
  for (page = 0; page <= 64; page++)
    if (page < 8 || page == 9 || page == 10 || (page > 15 && page < 40)
        || page == 42 || page > 43)
      pages[count++] = page;
  assert_pages (&need, pages);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_raw),
    cmocka_unit_test (test_holes_left_out),
    cmocka_unit_test (test_holes_read),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
