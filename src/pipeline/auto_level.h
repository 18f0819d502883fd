/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Choosing the level while a save runs (-c auto). */

#ifndef IOPRESS_PIPELINE_AUTO_LEVEL_H
#define IOPRESS_PIPELINE_AUTO_LEVEL_H

#include "pipeline/run.h"
#include "plugin/iopress-plugin.h"

/* Most levels to choose from. */
#define AUTO_LEVELS 9

struct auto_level {
  /* Set at the start: the levels, ascending, and how many there are. */
  int levels[AUTO_LEVELS];
  unsigned int count;

  /* Which of them workers use for their next window. */
  _Atomic unsigned int rung;

  /* The writer's thread. */
  struct pool_load last;       /* when the rung was looked at last */
  uint64_t windows;            /* since then */
  uint64_t used[AUTO_LEVELS];  /* windows written while each was in force */
};

/* Start at the default level of the codec CODEC, which has set_level. */
void auto_level_init (struct auto_level *choice,
                      const struct iopress_codec *codec);

/* The level for the next window.  Any thread. */
int auto_level_now (const struct auto_level *choice);

/* From the writer's thread after each window; OPAQUE is the struct auto_level.
 * When the workers were idle for more than 4 percent of the time the disk is
 * the slower one: go up a rung.  When they hardly were, and the reader waited
 * for them for more than a tenth, the cores are: go down.
 */
void auto_level_balance (void *opaque, const struct pool_load *load);

#endif /* IOPRESS_PIPELINE_AUTO_LEVEL_H */
