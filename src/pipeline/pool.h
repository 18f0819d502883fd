/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An ordered pool: slots go in by ticket, are worked on by any worker, and
 * come out in the order of their tickets.  With no threads the caller of
 * pool_dequeue does the work, with the same result.
 */

#ifndef IOPRESS_PIPELINE_POOL_H
#define IOPRESS_PIPELINE_POOL_H

#include "pipeline/slot.h"
#include "sandbox/memory_only.h"

/* What the workers do. */
struct job {
  void *opaque;
  size_t raw_bytes;            /* size of a slot's RAW */
  size_t packed_bytes;         /* size of a slot's PACKED */

  /* Make or free what one worker needs; called from the thread that creates
   * or frees the pool.
   */
  int (*open) (void *opaque, void **worker, struct error *err);
  void (*close) (void *worker);

  /* Work on one slot, in memory only.  A failure goes into slot->error.  A slot
   * that could not be read comes with an error, which it is to keep unless the
   * job can do without.
   */
  void (*work) (void *worker, struct slot *slot);

  /* To what workers that are threads of their own are confined, or NULL.  What
   * else they tried becomes the slot's error, with CODEC, whose code it was.
   */
  const struct memory_only *confinement;
  const char *codec;
};

/* For pool_deliver. */
struct delivery {
  void *opaque;

  /* Bring what has come of one slot where it belongs; any worker's thread.
   * Returns whether pool_dequeue is to return, so that the writer can see to
   * what has become possible.
   */
  bool (*deliver) (void *opaque, struct slot *slot);
};

struct pool;

/* How the time since the pool was made was spent, in nanoseconds.  */
struct pool_load {
  unsigned int workers;
  uint64_t time_ns;            /* of the monotonic clock */
  uint64_t idle_ns;            /* of all workers: there was nothing to do */
  uint64_t reader_waited_ns;   /* no slot was free */
};

/* Any thread: the load so far.  Waits that go on are not in it yet. */
struct pool_load pool_load (struct pool *pool);

/* Make a pool of THREADS workers (0: the serial twin) and SLOTS slots.
 * DELIVERY is NULL where pool_deliver is not called.  Returns 0, or -1 with
 * ERR.
 */
int pool_create (const struct job *job, const struct delivery *delivery,
                 unsigned int threads, unsigned int slots, struct pool **pool,
                 struct error *err);

/* Stop the workers and free everything; NULL is ignored.  No request on a
 * slot's buffers may be in flight.
 */
void pool_free (struct pool *pool);

/* Reader: the free slot of the next ticket.  Returns NULL when the pool was
 * stopped, or, with WAIT false, when none is free.
 */
struct slot *pool_take (struct pool *pool, bool wait);

/* Reader: hand back the slot taken last, unused. */
void pool_untake (struct pool *pool, struct slot *slot);

/* Reader: the slot is filled.  Any order among the taken slots. */
void pool_submit (struct pool *pool, struct slot *slot);

/* Reader: there will be no more slots after those taken so far. */
void pool_end_input (struct pool *pool);

/* Writer: the slot of the next ticket once a worker is done with it.
 * Returns NULL when all are out or the pool was stopped, and when the next
 * one is not done yet: at once with WAIT false, else after a fifth of a
 * second, the last delivery or one that returned true, so that the caller can
 * look at the world.
 */
struct slot *pool_dequeue (struct pool *pool, bool wait);

/* Writer: the slot can be used again.  Any order. */
void pool_release (struct pool *pool, struct slot *slot);

/* Writer: let a worker deliver the slot, before it works on others; then it can
 * be used again.
 */
void pool_deliver (struct pool *pool, struct slot *slot);

/* Any thread: let every waiting call return.  What is not delivered yet is not
 * delivered any more.
 */
void pool_stop (struct pool *pool);

/* Writer: how many slots are still to come out or to be delivered, UINT64_MAX
 * while the input has not ended.
 */
uint64_t pool_left (struct pool *pool);

#endif /* IOPRESS_PIPELINE_POOL_H */
