/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/image/read_ahead.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/read_ahead.h"

static void
check_taken (struct read_ahead *ahead, uint64_t first, uint64_t end)
{
  uint64_t item;

  for (; first < end; first++) {
    assert_true (read_ahead_take (ahead, &item));
    assert_int_equal (item, first);
  }
  assert_false (read_ahead_take (ahead, &item));
}

/* Each item once, none behind the last. */
static void
test_ascending (void **state)
{
  struct read_ahead ahead = { .count = 10, .distance = 4 };
  uint64_t i;

  (void) state;
  assert_int_equal (read_ahead_note (&ahead, 0), 0);
  assert_int_equal (read_ahead_note (&ahead, 0), 0);
  assert_int_equal (read_ahead_note (&ahead, 1), 4);
  check_taken (&ahead, 2, 6);
  for (i = 2; i < 6; i++) {
    assert_int_equal (read_ahead_note (&ahead, i), 1);
    assert_int_equal (read_ahead_note (&ahead, i), 0);
    check_taken (&ahead, i + 4, i + 5);
  }
  for (; i < 10; i++)
    assert_int_equal (read_ahead_note (&ahead, i), 0);
  check_taken (&ahead, 0, 0);
}

/* Items that come a little out of turn are no other reader's. */
static void
test_out_of_turn (void **state)
{
  struct read_ahead ahead = { .count = 100, .distance = 4 };

  (void) state;
  read_ahead_note (&ahead, 10);
  assert_int_equal (read_ahead_note (&ahead, 12), 4);
  assert_int_equal (read_ahead_note (&ahead, 11), 0);
  check_taken (&ahead, 13, 17);
  assert_int_equal (read_ahead_note (&ahead, 14), 2);
  assert_int_equal (read_ahead_note (&ahead, 13), 0);
  check_taken (&ahead, 17, 19);
}

static void
test_jumps (void **state)
{
  struct read_ahead ahead = { .count = 1000000, .distance = 8 };
  uint64_t i;

  (void) state;
  for (i = 0; i < 1000; i++)
    assert_int_equal (read_ahead_note (&ahead, i * 7919 % 10000 * 100), 0);
  for (i = 1000; i > 0; i--)
    assert_int_equal (read_ahead_note (&ahead, i), 0);
  check_taken (&ahead, 0, 0);
}

/* As many readers as can be told apart, one behind the other. */
static void
test_streams (void **state)
{
  struct read_ahead ahead = { .count = 1000000, .distance = 2 };
  uint64_t i, stream, item;

  (void) state;
  for (i = 0; i < 20; i++)
    for (stream = 0; stream < READ_AHEAD_STREAMS; stream++) {
      unsigned int more = read_ahead_note (&ahead, stream * 1000 + i);

      assert_int_equal (more, i == 0 ? 0 : i == 1 ? 2 : 1);
      while (read_ahead_take (&ahead, &item))
        assert_in_range (item, stream * 1000 + i + 1, stream * 1000 + i + 2);
    }
}

/* What nobody takes is not piled up, and comes later. */
static void
test_full (void **state)
{
  struct read_ahead ahead = { .count = 1000, .distance = READ_AHEAD_MAX };
  uint64_t i;

  (void) state;
  for (i = 0; i < 500; i++)
    read_ahead_note (&ahead, i);
  check_taken (&ahead, 2, 2 + 2 * READ_AHEAD_MAX);
  assert_true (read_ahead_note (&ahead, 500) > 0);
  check_taken (&ahead, 501, 501 + READ_AHEAD_MAX);
}

static void
test_off (void **state)
{
  struct read_ahead ahead = { .count = 1000 };
  uint64_t i;

  (void) state;
  for (i = 0; i < 100; i++)
    assert_int_equal (read_ahead_note (&ahead, i), 0);
  check_taken (&ahead, 0, 0);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_ascending),
    cmocka_unit_test (test_out_of_turn),
    cmocka_unit_test (test_jumps),
    cmocka_unit_test (test_streams),
    cmocka_unit_test (test_full),
    cmocka_unit_test (test_off),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
