/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which items are worth having before they are asked for. */

#include <config.h>

#include "image/read_ahead.h"
#include "util/bytes.h"

#define QUEUE_MAX (sizeof ((struct read_ahead *) 0)->queue / sizeof (uint64_t))

/* The stream that ITEM belongs to, or NULL. */
static struct read_ahead_stream *
find_stream (struct read_ahead *ahead, uint64_t item)
{
  unsigned int i;

  for (i = 0; i < READ_AHEAD_STREAMS; i++) {
    struct read_ahead_stream *stream = &ahead->streams[i];

    if (stream->next > 0 && item <= stream->asked + ahead->distance &&
        item + ahead->distance >= stream->asked)
      return stream;
  }
  return NULL;
}

unsigned int
read_ahead_note (struct read_ahead *ahead, uint64_t item)
{
  uint64_t end = minimum_u64 (item + 1 + ahead->distance, ahead->count);
  struct read_ahead_stream *stream = find_stream (ahead, item);
  unsigned int queued = ahead->queued;

  if (stream == NULL) {
    ahead->streams[ahead->oldest++ % READ_AHEAD_STREAMS] =
      (struct read_ahead_stream) { .asked = item, .next = item + 1 };
    return 0;
  }
  if (item <= stream->asked)
    return 0;
  stream->asked = item;
  stream->next = maximum_u64 (stream->next, item + 1);
  for (; stream->next < end && ahead->queued < QUEUE_MAX; stream->next++)
    ahead->queue[(ahead->first + ahead->queued++) % QUEUE_MAX] = stream->next;
  return ahead->queued - queued;
}

bool
read_ahead_take (struct read_ahead *ahead, uint64_t *item)
{
  if (ahead->queued == 0)
    return false;
  *item = ahead->queue[ahead->first++ % QUEUE_MAX];
  ahead->queued--;
  return true;
}
