/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The system's clocks, read in one number. */

#include <config.h>

#include "util/clock.h"

#define SECOND 1000000000u

uint64_t
clock_nanoseconds (clockid_t clock)
{
  struct timespec time;

  clock_gettime (clock, &time);
  return (uint64_t) time.tv_sec * SECOND + (uint64_t) time.tv_nsec;
}

double
clock_seconds (clockid_t clock)
{
  return (double) clock_nanoseconds (clock) / SECOND;
}
