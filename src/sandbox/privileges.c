/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the process as a whole keeps of the privileges it was started with. */

#include <config.h>

#include <cap-ng.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "sandbox/privileges.h"

#define COPY (1u << PRIVILEGES_COPY)
#define READ (1u << PRIVILEGES_READ)
#define WRITE (1u << PRIVILEGES_WRITE)
#define REPLACE (1u << PRIVILEGES_REPLACE)

/* What each of them is for, and who does that. */
static const struct {
  unsigned int number;
  unsigned int users;
} known[] = {
  { CAP_DAC_READ_SEARCH, READ | WRITE | REPLACE },
  { CAP_DAC_OVERRIDE, WRITE | REPLACE },
  { CAP_FOWNER, WRITE | REPLACE },      /* sticky folders, names, modes */
  { CAP_LEASE, WRITE | REPLACE },       /* who else writes to the source */
  { CAP_SYS_RESOURCE, COPY | WRITE | REPLACE }, /* quotas, size of pipes */
  { CAP_CHOWN, REPLACE },
  { CAP_FSETID, REPLACE },
  { CAP_MAC_ADMIN, REPLACE },   /* attributes that are labels */
  { CAP_SETFCAP, REPLACE },
  { CAP_SYS_ADMIN, REPLACE },   /* attributes called trusted. and security. */
};

int
privileges_available (struct error *err)
{
  (void) err;
  return 0;
}

/* Some containers have only the stronger one of the two that let read. */
static bool
reads_by_override (void)
{
  return !capng_have_capability (CAPNG_PERMITTED, CAP_DAC_READ_SEARCH);
}

static bool
is_needed (unsigned int number, unsigned int user)
{
  size_t i;

  if (number == CAP_DAC_OVERRIDE && user == READ)
    return reads_by_override ();
  for (i = 0; i < sizeof known / sizeof known[0]; i++)
    if (known[i].number == number)
      return (known[i].users & user) != 0;
  return false;
}

/* Capabilities that this libcap-ng does not know go with those it drops. */
static int
drop_capabilities (unsigned int user)
{
  const capng_type_t sets = CAPNG_EFFECTIVE | CAPNG_PERMITTED;
  bool kept[CAP_LAST_CAP + 1];
  unsigned int i;

  if (capng_get_caps_process () < 0)
    return -1;
  for (i = 0; i <= CAP_LAST_CAP; i++)
    kept[i] = is_needed (i, user) &&
      capng_have_capability (CAPNG_EFFECTIVE, i);
  capng_clear (CAPNG_SELECT_CAPS);
  for (i = 0; i <= CAP_LAST_CAP; i++)
    if (kept[i] && capng_update (CAPNG_ADD, sets, i) < 0)
      return -1;
  return capng_apply (CAPNG_SELECT_CAPS);
}

int
privileges_keep (enum privileges kept, struct error *err)
{
  errno = 0;
  if (drop_capabilities (1u << kept) < 0)
    return error_set (err, ERROR_FAILED, errno, "cannot give up capabilities");
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return error_set (err, ERROR_FAILED, errno,
                      "cannot give up new privileges");
  return 0;
}
