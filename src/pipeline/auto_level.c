/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Choosing the level while a save runs (-c auto). */

#include <config.h>

#include "pipeline/auto_level.h"

/* Between two looks: enough windows and time for the shares to mean much. */
#define WINDOWS_MIN 16u
#define INTERVAL_NS 100000000u

const int auto_levels[AUTO_LEVELS] = { -5, -3, -1, 1, 2, 3, 5, 7, 9 };

#define RUNG_FIRST 3u          /* level 1 */

void
auto_level_init (struct auto_level *choice)
{
  *choice = (struct auto_level) { .rung = RUNG_FIRST };
}

/* Whether PART is more than a tenth of WHOLE. */
static bool
over_a_tenth (uint64_t part, uint64_t whole)
{
  return part > whole / 10;
}

static unsigned int
next_rung (unsigned int rung, const struct pool_load *from,
           const struct pool_load *to)
{
  uint64_t time = to->time_ns - from->time_ns;

  if (over_a_tenth (to->idle_ns - from->idle_ns, time * to->workers))
    return rung + 1 < AUTO_LEVELS ? rung + 1 : rung;
  if (over_a_tenth (to->reader_waited_ns - from->reader_waited_ns, time))
    return rung > 0 ? rung - 1 : rung;
  return rung;
}

void
auto_level_balance (void *opaque, const struct pool_load *load)
{
  struct auto_level *choice = opaque;
  unsigned int rung = choice->rung;

  choice->used[rung]++;
  if (choice->last.time_ns == 0)
    choice->last = *load;
  if (++choice->windows < WINDOWS_MIN ||
      load->time_ns - choice->last.time_ns < INTERVAL_NS)
    return;
  choice->rung = next_rung (rung, &choice->last, load);
  choice->last = *load;
  choice->windows = 0;
}
