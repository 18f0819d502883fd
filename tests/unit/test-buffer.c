/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/util/buffer.c. */

#include <config.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/buffer.h"
#include "util/bytes.h"

#define ALIGNMENT ((size_t) 2 << 20)

static const size_t sizes[] = {
  1, PAGE_BYTES, ALIGNMENT - 1, ALIGNMENT, ALIGNMENT + 1, 5 * ALIGNMENT / 2,
};

static void
test_aligned_and_zero (void **state)
{
  size_t i;

  (void) state;
  for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    uint8_t *buffer = buffer_allocate (sizes[i]);

    assert_non_null (buffer);
    assert_int_equal ((uintptr_t) buffer % ALIGNMENT, 0);
    assert_true (bytes_are_zero (buffer, sizes[i]));
    memset (buffer, 0xff, sizes[i]);
    buffer_free (buffer, sizes[i]);
  }
}

static void
test_too_large (void **state)
{
  (void) state;
  errno = 0;
  assert_null (buffer_allocate (SIZE_MAX));
  assert_int_equal (errno, ENOMEM);
  assert_null (buffer_allocate (SIZE_MAX / 2));
  assert_int_equal (errno, ENOMEM);
  buffer_free (NULL, 1);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_aligned_and_zero),
    cmocka_unit_test (test_too_large),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
