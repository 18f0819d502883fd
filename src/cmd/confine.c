/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a verb gives up of what it may do, as --sandbox says. */

#include <config.h>

#include <stdio.h>

#include "cmd/confine.h"
#include "sandbox/memory_only.h"

int
confine_check (struct error *err)
{
  return memory_only_available (err) < 0 ? -1 : privileges_available (err);
}

int
confine_privileges (const struct common_options *common,
                    enum privileges kept, struct error *err)
{
  struct error without = { 0 };

  if (common->sandbox == SANDBOX_OFF || privileges_keep (kept, &without) == 0 ||
      common->sandbox == SANDBOX_AUTO)
    return 0;
  *err = without;
  return error_context (err, "--sandbox=on");
}

static void
print_line (const char *what, int result, const struct error *err)
{
  printf ("%s: %s%s\n", what, result == 0 ? "yes" : "no, ",
          result == 0 ? "" : err->what);
}

void
confine_print_report (void)
{
  struct error err = { 0 };

  print_line ("codecs get memory only", memory_only_available (&err), &err);
  print_line ("privileges are given up", privileges_available (&err), &err);
}
