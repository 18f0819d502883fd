/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmocka assertions about struct error.  Include after cmocka.h. */

#ifndef IOPRESS_TESTS_ASSERT_ERROR_H
#define IOPRESS_TESTS_ASSERT_ERROR_H

#include <stdio.h>
#include <string.h>

#include "util/error.h"

/* ERR is of KIND and its message contains TEXT. */
#define assert_error(err, expected_kind, text)                          \
  do {                                                                  \
    if (strstr ((err)->what, (text)) == NULL)                           \
      fail_msg ("message '%s' lacks '%s'", (err)->what, (text));        \
    assert_int_equal ((err)->kind, (expected_kind));                    \
  } while (0)

#endif /* IOPRESS_TESTS_ASSERT_ERROR_H */
