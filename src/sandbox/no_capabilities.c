/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Built without libcap-ng: no privilege is given up. */

#include <config.h>

#include "sandbox/privileges.h"

int
privileges_available (struct error *err)
{
  return error_set (err, ERROR_FAILED, 0, "this iopress was built without "
                    "libcap-ng");
}

int
privileges_keep (enum privileges kept, struct error *err)
{
  (void) kept;
  return privileges_available (err);
}
