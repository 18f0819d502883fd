/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a pipe in large pieces. */

#ifndef IOPRESS_IO_PIPE_PACE_H
#define IOPRESS_IO_PIPE_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* How fast a pipe is read.  For one thread. */
struct pipe_pace {
  bool large;                  /* it holds a MiB: there is time to fill it */
  uint64_t started;            /* nanoseconds: a piece was last asked for */
  uint64_t nanoseconds;        /* between two pieces, lately */
};

/* Make the pipe FD hold a MiB if it can and may; what is no pipe stays as it
 * is.
 */
void pipe_pace_open (int fd, struct pipe_pace *pace);

/* Before the next piece of up to a MiB is read: whoever reads a pipe that is
 * being written to waits with a busy processor for the writer to let go of it
 * (anon_pipe_read in fs/pipe.c holds the same mutex as anon_pipe_write).  So
 * the writer of a large pipe gets half the time of a piece, at most half a
 * millisecond, to fill it, if there is other WORK to be waited for meanwhile.
 */
void pipe_pace_wait (struct pipe_pace *pace, bool work);

#endif /* IOPRESS_IO_PIPE_PACE_H */
