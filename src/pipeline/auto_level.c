/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Choosing the level while a save runs (-c auto). */

#include <config.h>

#include <stdatomic.h>

#include "pipeline/auto_level.h"

/* Between two looks: enough windows and time for the shares to mean much. */
#define WINDOWS_MIN 16u
#define INTERVAL_NS 100000000u

/* Parts of the time, one in so many.  The processors are idle for too much of
 * it: of the whole run that is to be a tenth at most, and its begin, its end
 * and what workers wait for while they work come on top.  Or they are idle for
 * so little, and the reader waits for so much, that they hold up the disk.
 */
#define IDLE_MUCH 24u
#define IDLE_LITTLE 96u
#define WAITED_MUCH 10u

/* From the default level; downward, where a level changes less, in steps of
 * two, and upward as far as cores can be expected to be idle for.
 */
static const int steps[AUTO_LEVELS] = { -6, -4, -2, 0, 1, 2, 4, 6, 8 };

void
auto_level_init (struct auto_level *choice, const struct iopress_codec *codec)
{
  unsigned int rung = 0;
  int64_t level;
  size_t i;

  *choice = (struct auto_level) { .count = 0 };
  for (i = 0; i < AUTO_LEVELS; i++) {
    level = (int64_t) codec->level_default + steps[i];
    if (level < codec->level_min || level > codec->level_max)
      continue;
    if (steps[i] == 0)
      rung = choice->count;
    choice->levels[choice->count++] = (int) level;
  }
  choice->rung = rung;
}

int
auto_level_now (const struct auto_level *choice)
{
  return choice->levels[atomic_load (&choice->rung)];
}

static unsigned int
next_rung (const struct auto_level *choice, const struct pool_load *to)
{
  const struct pool_load *from = &choice->last;
  unsigned int rung = choice->rung;
  uint64_t time = to->time_ns - from->time_ns;
  uint64_t idle = (to->idle_ns - from->idle_ns) / to->workers;
  uint64_t waited = to->reader_waited_ns - from->reader_waited_ns;

  if (idle > time / IDLE_MUCH)
    return rung + 1 < choice->count ? rung + 1 : rung;
  /* Where the disk is quick and slow in turn both wait, now and then; at a
   * lower level the processors would be idle for more.
   */
  if (idle < time / IDLE_LITTLE && waited > time / WAITED_MUCH)
    return rung > 0 ? rung - 1 : rung;
  return rung;
}

void
auto_level_balance (void *opaque, const struct pool_load *load)
{
  struct auto_level *choice = opaque;

  choice->used[choice->rung]++;
  if (choice->last.time_ns == 0)
    choice->last = *load;
  if (++choice->windows < WINDOWS_MIN ||
      load->time_ns - choice->last.time_ns < INTERVAL_NS)
    return;
  choice->rung = next_rung (choice, load);
  choice->last = *load;
  choice->windows = 0;
}
