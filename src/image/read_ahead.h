/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which items are worth having before they are asked for. */

#ifndef IOPRESS_IMAGE_READ_AHEAD_H
#define IOPRESS_IMAGE_READ_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

/* Readers that can be told apart. */
#define READ_AHEAD_STREAMS 8u

/* The largest distance. */
#define READ_AHEAD_MAX 32u

/* Somebody who reads on; one who asks a little out of turn, as several threads
 * for one reader do, is the same one.
 */
struct read_ahead_stream {
  uint64_t asked;              /* the furthest item */
  uint64_t next;               /* to be put into the queue; 0: unused */
};

/* Initialise with zeros, but for COUNT and DISTANCE.  One thread at a time. */
struct read_ahead {
  uint64_t count;              /* items there are */
  unsigned int distance;       /* how far ahead to go; 0: not at all */
  struct read_ahead_stream streams[READ_AHEAD_STREAMS];
  unsigned int oldest;         /* stream */
  uint64_t queue[2 * READ_AHEAD_MAX];  /* a ring */
  unsigned int first, queued;
};

/* ITEM was asked for.  Returns how many others are worth having since. */
unsigned int read_ahead_note (struct read_ahead *ahead, uint64_t item);

/* The next one that is, each only once; false when there is none. */
bool read_ahead_take (struct read_ahead *ahead, uint64_t *item);

#endif /* IOPRESS_IMAGE_READ_AHEAD_H */
