/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Built without libseccomp: no thread is confined, and no system call denied. */

#include <config.h>

#include "sandbox/memory_only.h"
#include "sandbox/system_calls.h"

int
memory_only_available (struct error *err)
{
  return error_set (err, ERROR_FAILED, 0, "this iopress was built without "
                    "libseccomp");
}

int
memory_only_prepare (int read_fd, struct memory_only *confinement,
                     struct error *err)
{
  (void) read_fd;
  (void) confinement;
  return memory_only_available (err);
}

int
memory_only_enter (const struct memory_only *confinement, struct error *err)
{
  (void) confinement;
  return memory_only_available (err);
}

const char *
memory_only_denied (void)
{
  return NULL;
}

int
system_calls_keep (enum privileges kept, struct error *err)
{
  (void) kept;
  return memory_only_available (err);
}
