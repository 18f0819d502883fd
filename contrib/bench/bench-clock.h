/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time for the C programs of contrib/bench. */

#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <time.h>

static inline double
clock_seconds (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static inline double
seconds_now (void)
{
  return clock_seconds (CLOCK_MONOTONIC);
}

#endif /* BENCH_CLOCK_H */
