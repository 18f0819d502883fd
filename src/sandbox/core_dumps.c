/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No core file of this process. */

#include <config.h>

#include <stdbool.h>
#include <sys/resource.h>

#include "sandbox/core_dumps.h"

static struct rlimit before;
static bool stopped;

void
core_dumps_stop (void)
{
  struct rlimit none;

  if (getrlimit (RLIMIT_CORE, &before) < 0)
    return;
  none = (struct rlimit) { .rlim_cur = 0, .rlim_max = before.rlim_max };
  stopped = setrlimit (RLIMIT_CORE, &none) == 0;
}

void
core_dumps_restore (void)
{
  if (stopped)
    setrlimit (RLIMIT_CORE, &before);
}
