/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit test of src/mount/record_table.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mount/record_table.h"

#define WINDOWS 1000u

static void
set (struct record_table *table, uint64_t window, uint64_t offset)
{
  const struct index_entry entry = {
    .window = window, .offset = offset, .record_bytes = 200,
    .page_count = 3, .header_checksum = ~offset,
  };

  assert_int_equal (record_table_prepare (table, window), 0);
  record_table_set (table, &entry);
}

/* In any order, each again, against an array. */
static void
test_random (void **state)
{
  static uint64_t offsets[WINDOWS];
  struct record_table table = { 0 };
  struct index_entry entry;
  uint64_t window, expected = 0;
  unsigned int i, seed = 1;

  (void) state;
  for (i = 0; i < 4 * WINDOWS; i++) {
    window = (unsigned int) rand_r (&seed) % WINDOWS;
    if (rand_r (&seed) % 4 == 0) {
      record_table_remove (&table, window);
      offsets[window] = 0;
    }
    else {
      set (&table, window, i + 1);
      offsets[window] = i + 1;
    }
  }
  for (window = 0; window < WINDOWS; window++) {
    assert_int_equal (record_table_find (&table, window, &entry),
                      offsets[window] != 0);
    if (offsets[window] == 0)
      continue;
    assert_int_equal (entry.offset, offsets[window]);
    assert_int_equal (entry.header_checksum, ~offsets[window]);
    expected++;
  }
  assert_int_equal (table.count, expected);
  for (window = 0; record_table_next (&table, window, &entry);
       window = entry.window + 1) {
    while (window < entry.window)
      assert_int_equal (offsets[window++], 0);
    expected--;
  }
  assert_int_equal (expected, 0);
  record_table_clear (&table);
  assert_false (record_table_next (&table, 0, &entry));
}

/* What lies far apart takes no room in between. */
static void
test_far_apart (void **state)
{
  struct record_table table = { 0 };
  struct index_entry entry;
  uint64_t i;

  (void) state;
  for (i = 40; i > 0; i--)
    set (&table, UINT64_C (1) << i, i);
  assert_int_equal (table.stretch_count, 37);
  assert_true (record_table_next (&table, (UINT64_C (1) << 39) + 1, &entry));
  assert_int_equal (entry.window, UINT64_C (1) << 40);
  assert_false (record_table_next (&table, UINT64_MAX, &entry));
  assert_false (record_table_find (&table, 3, &entry));
  record_table_remove (&table, UINT64_C (1) << 50);
  assert_int_equal (table.count, 40);
  record_table_clear (&table);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_random),
    cmocka_unit_test (test_far_apart),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
