/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of src/pipeline/auto_level.c. */

#include <config.h>

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/auto_level.h"

#define WORKERS 2u
#define WINDOW_NS 10000000u    /* so that 16 windows take long enough */

/* A run whose workers are idle, and whose reader waits for them, for so many
 * percent of the time.
 */
struct machine {
  struct auto_level choice;
  struct pool_load load;
};

static const struct iopress_codec codec = {
  .level_min = -7,
  .level_max = 19,
  .level_default = 1,
};

static void
start (struct machine *machine)
{
  *machine = (struct machine) {
    .load = { .workers = WORKERS, .time_ns = 1 },
  };
  auto_level_init (&machine->choice, &codec);
}

static void
run_windows (struct machine *machine, unsigned int count, uint64_t window_ns,
             uint64_t idle_percent, uint64_t waited_percent)
{
  while (count-- > 0) {
    machine->load.time_ns += window_ns;
    machine->load.idle_ns += WORKERS * window_ns * idle_percent / 100;
    machine->load.reader_waited_ns += window_ns * waited_percent / 100;
    auto_level_balance (&machine->choice, &machine->load);
  }
}

static int
level (const struct machine *machine)
{
  return auto_level_now (&machine->choice);
}

static void
test_starts_at_level_1 (void **state)
{
  struct machine machine;

  (void) state;
  start (&machine);
  assert_int_equal (level (&machine), 1);
}

static void
test_disk_is_slower (void **state)
{
  struct machine machine;

  (void) state;
  start (&machine);
  run_windows (&machine, 16, WINDOW_NS, 50, 0);
  assert_int_equal (level (&machine), 2);
  run_windows (&machine, 1000, WINDOW_NS, 5, 0);
  assert_int_equal (level (&machine), 9);
}

static void
test_cores_are_slower (void **state)
{
  struct machine machine;

  (void) state;
  start (&machine);
  run_windows (&machine, 16, WINDOW_NS, 0, 50);
  assert_int_equal (level (&machine), -1);
  run_windows (&machine, 1000, WINDOW_NS, 0, 11);
  assert_int_equal (level (&machine), -5);
}

/* A slow output fills all slots: the reader waits, too. */
static void
test_idle_workers_decide (void **state)
{
  struct machine machine;

  (void) state;
  start (&machine);
  run_windows (&machine, 16, WINDOW_NS, 60, 60);
  assert_int_equal (level (&machine), 2);
}

static void
test_stays_where_both_are_busy (void **state)
{
  struct machine machine;

  (void) state;
  start (&machine);
  run_windows (&machine, 1000, WINDOW_NS, 4, 10);
  assert_int_equal (level (&machine), 1);
  run_windows (&machine, 1000, WINDOW_NS, 1, 10);
  assert_int_equal (level (&machine), 1);
}

/* A disk that is quick and slow in turn lets the reader wait although, on the
 * whole, the workers are idle: they would be so more at a lower level.
 */
static void
test_stays_between (void **state)
{
  struct machine machine;

  (void) state;
  start (&machine);
  run_windows (&machine, 1000, WINDOW_NS, 2, 50);
  assert_int_equal (level (&machine), 1);
  run_windows (&machine, 1000, WINDOW_NS, 4, 50);
  assert_int_equal (level (&machine), 1);
}

static void
test_looks_at_enough (void **state)
{
  struct machine machine;

  (void) state;
  start (&machine);
  run_windows (&machine, 15, WINDOW_NS, 50, 0);
  assert_int_equal (level (&machine), 1);
  /* Many windows, but not for long. */
  start (&machine);
  run_windows (&machine, 90, WINDOW_NS / 10, 50, 0);
  assert_int_equal (level (&machine), 1);
  run_windows (&machine, 20, WINDOW_NS / 10, 50, 0);
  assert_int_equal (level (&machine), 2);
}

/* What was busy long ago says nothing about now. */
static void
test_forgets (void **state)
{
  struct machine machine;

  (void) state;
  start (&machine);
  run_windows (&machine, 63 * 16, WINDOW_NS, 90, 0);
  run_windows (&machine, 16, WINDOW_NS, 0, 20);
  assert_int_equal (level (&machine), 7);
}

/* The levels that CODEC has of the nine. */
static void
assert_levels (int min, int max, int start_level, const char *wanted)
{
  struct iopress_codec narrow = {
    .level_min = min,
    .level_max = max,
    .level_default = start_level,
  };
  struct auto_level choice;
  char text[128] = "";
  unsigned int i;

  auto_level_init (&choice, &narrow);
  assert_int_equal (auto_level_now (&choice), start_level);
  for (i = 0; i < choice.count; i++)
    sprintf (text + strlen (text), "%d ", choice.levels[i]);
  assert_string_equal (text, wanted);
}

static void
test_levels_of_any_codec (void **state)
{
  (void) state;
  assert_levels (-7, 19, 1, "-5 -3 -1 1 2 3 5 7 9 ");
  assert_levels (0, 9, 6, "0 2 4 6 7 8 ");
  assert_levels (3, 3, 3, "3 ");
  assert_levels (INT_MIN, INT_MAX, INT_MAX, "2147483641 2147483643 "
                 "2147483645 2147483647 ");
}

static void
test_one_level (void **state)
{
  struct machine machine;
  struct iopress_codec single = { .level_default = 0 };

  (void) state;
  start (&machine);
  auto_level_init (&machine.choice, &single);
  run_windows (&machine, 1000, WINDOW_NS, 50, 0);
  assert_int_equal (level (&machine), 0);
  run_windows (&machine, 1000, WINDOW_NS, 0, 50);
  assert_int_equal (level (&machine), 0);
}

static void
test_counts_windows (void **state)
{
  struct machine machine;
  uint64_t sum = 0;
  size_t i;

  (void) state;
  start (&machine);
  run_windows (&machine, 100, WINDOW_NS, 50, 0);
  for (i = 0; i < AUTO_LEVELS; i++)
    sum += machine.choice.used[i];
  assert_int_equal (sum, 100);
  assert_int_equal (machine.choice.used[0], 0);
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_starts_at_level_1),
    cmocka_unit_test (test_disk_is_slower),
    cmocka_unit_test (test_cores_are_slower),
    cmocka_unit_test (test_idle_workers_decide),
    cmocka_unit_test (test_stays_where_both_are_busy),
    cmocka_unit_test (test_stays_between),
    cmocka_unit_test (test_looks_at_enough),
    cmocka_unit_test (test_forgets),
    cmocka_unit_test (test_levels_of_any_codec),
    cmocka_unit_test (test_one_level),
    cmocka_unit_test (test_counts_windows),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
