/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Choosing the level while a save runs (-c auto). */

#include <config.h>

#include "pipeline/auto_level.h"

/* Between two looks: enough windows and time for the shares to mean much. */
#define WINDOWS_MIN 16u
#define INTERVAL_NS 100000000u

/* Parts of the time, one in so many.  The processors are idle for too much of
 * it: of the whole run that is to be a tenth at most, and its begin, its end and
 * what workers wait for while they work come on top.  Or they are idle for so
 * little, and the reader waits for so much, that they hold up the disk.
 */
#define IDLE_MUCH 24u
#define IDLE_LITTLE 96u
#define WAITED_MUCH 10u

const int auto_levels[AUTO_LEVELS] = { -5, -3, -1, 1, 2, 3, 5, 7, 9 };

#define RUNG_FIRST 3u          /* level 1 */

void
auto_level_init (struct auto_level *choice)
{
  *choice = (struct auto_level) { .rung = RUNG_FIRST };
}

int
auto_level_now (const struct auto_level *choice)
{
  return auto_levels[choice->rung];
}

static unsigned int
next_rung (unsigned int rung, const struct pool_load *from,
           const struct pool_load *to)
{
  uint64_t time = to->time_ns - from->time_ns;
  uint64_t idle = (to->idle_ns - from->idle_ns) / to->workers;
  uint64_t waited = to->reader_waited_ns - from->reader_waited_ns;

  if (idle > time / IDLE_MUCH)
    return rung + 1 < AUTO_LEVELS ? rung + 1 : rung;
  /* Where the disk is quick and slow in turn both wait, now and then; at a lower
   * level the processors would be idle for more.
   */
  if (idle < time / IDLE_LITTLE && waited > time / WAITED_MUCH)
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
