/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a pipe in large pieces. */

#include <config.h>

#include <fcntl.h>
#include <time.h>

#include "io/pipe_pace.h"
#include "util/bytes.h"
#include "util/clock.h"

#define LARGE_BYTES (1 << 20)

/* Pieces that take longer are taken to take that. */
#define NANOSECONDS_MAX 1000000u

void
pipe_pace_open (int fd, struct pipe_pace *pace)
{
  if (fcntl (fd, F_GETPIPE_SZ) < LARGE_BYTES)
    fcntl (fd, F_SETPIPE_SZ, LARGE_BYTES);
  *pace = (struct pipe_pace) {
    .large = fcntl (fd, F_GETPIPE_SZ) >= LARGE_BYTES,
  };
}

void
pipe_pace_wait (struct pipe_pace *pace, bool work)
{
  uint64_t now = clock_nanoseconds (CLOCK_MONOTONIC);
  struct timespec pause = { .tv_nsec = (long) (pace->nanoseconds / 2) };

  pace->nanoseconds = minimum_u64 ((3 * pace->nanoseconds + now -
                                    pace->started) / 4, NANOSECONDS_MAX);
  pace->started = now;
  if (pace->large && work)
    nanosleep (&pause, NULL);
}
