/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit test of src/util/array.c. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/array.h"

/* It keeps what it holds, and moves seldom. */
static void
test_growth (void **state)
{
  uint32_t *numbers = NULL, *before = NULL;
  unsigned int moves = 0;
  uint32_t i;

  (void) state;
  for (i = 0; i < 100000; i++) {
    assert_true (array_grow (&numbers, i, sizeof *numbers));
    moves += numbers != before;
    before = numbers;
    numbers[i] = i * 3;
  }
  assert_true (moves <= 18);
  for (i = 0; i < 100000; i++)
    assert_int_equal (numbers[i], i * 3);
  free (numbers);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_growth),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
