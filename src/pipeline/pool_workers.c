/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The workers of the pool: they work, deliver, and sleep in between. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "pipeline/pool_private.h"
#include "util/bytes.h"
#include "util/clock.h"
#include "util/thread.h"

/* One in so many slots is worth waking the reader for. */
#define SLOTS_WORTHWHILE 4u

void
pool_wait (struct pool *pool, pthread_cond_t *condition, uint64_t *spent)
{
  uint64_t start = clock_nanoseconds (CLOCK_MONOTONIC);

  pthread_cond_wait (condition, &pool->lock);
  *spent += clock_nanoseconds (CLOCK_MONOTONIC) - start;
}

static struct slot *
queue_remove (struct slot_queue *queue)
{
  struct slot *slot = STAILQ_FIRST (queue);

  if (slot != NULL)
    STAILQ_REMOVE_HEAD (queue, next);
  return slot;
}

/* Under the lock: the first slot that waits for a worker, or NULL. */
static struct slot *
next_ready (struct pool *pool)
{
  struct slot *slot = queue_remove (&pool->ready_slots);

  if (slot == NULL)
    return NULL;
  slot->state = SLOT_WORKING;
  /* Now any free slot counts: see pool_put_back. */
  if (STAILQ_EMPTY (&pool->ready_slots))
    pthread_cond_signal (&pool->freed);
  return slot;
}

static void
do_work (const struct job *job, struct worker *worker, struct slot *slot)
{
  const char *denied;

  if (worker->failed.kind != ERROR_NONE) {
    slot->error = worker->failed;
    return;
  }
  job->work (worker->context, slot);
  if (job->confinement == NULL || (denied = memory_only_denied ()) == NULL)
    return;
  /* What else failed came of that. */
  slot->error = (struct error) { 0 };
  error_set (&slot->error, ERROR_FAILED, 0, "codec %s called %s, which no "
             "codec may; it was stopped", job->codec, denied);
}

/* Under the lock: do the work of one slot, with the lock given up. */
static void
work_on (struct pool *pool, struct worker *worker, struct slot *slot)
{
  pthread_mutex_unlock (&pool->lock);
  do_work (&pool->job, worker, slot);
  pthread_mutex_lock (&pool->lock);
  slot->state = SLOT_DONE;
  if (slot->ticket == pool->next_out)
    pthread_cond_signal (&pool->done);
}

void
pool_put_back (struct pool *pool, struct slot *slot)
{
  slot->state = SLOT_FREE;
  pool->free_count++;
  /* Let the reader sleep until it is worth its while, or the workers have no
   * slot in stock any more.
   */
  if (STAILQ_EMPTY (&pool->ready_slots) ||
      pool->free_count >= divide_up (pool->slots.count, SLOTS_WORTHWHILE))
    pthread_cond_signal (&pool->freed);
}

uint64_t
pool_count_left (const struct pool *pool)
{
  return pool->input_ended
    ? pool->next_in - pool->next_out + pool->delivery_count : UINT64_MAX;
}

void
pool_deliver_here (struct pool *pool, struct slot *slot)
{
  bool wanted;

  pthread_mutex_unlock (&pool->lock);
  wanted = pool->delivery.deliver (pool->delivery.opaque, slot);
  pthread_mutex_lock (&pool->lock);
  pool_put_back (pool, slot);
  pool->delivery_count--;
  if (wanted || pool_count_left (pool) == 0) {
    pool->wanted = true;
    pthread_cond_signal (&pool->done);
  }
}

void
pool_work_here (struct pool *pool)
{
  struct slot *slot = next_ready (pool);

  if (slot != NULL)
    work_on (pool, &pool->workers[0], slot);
}

static void *
worker_main (void *opaque)
{
  struct worker *worker = opaque;
  struct pool *pool = worker->pool;

  if (pool->job.confinement != NULL)
    memory_only_enter (pool->job.confinement, &worker->failed);
  pthread_mutex_lock (&pool->lock);
  while (!pool->stopped) {
    struct slot *slot = queue_remove (&pool->deliveries);

    if (slot != NULL)
      pool_deliver_here (pool, slot);
    else if ((slot = next_ready (pool)) != NULL)
      work_on (pool, worker, slot);
    else
      pool_wait (pool, &pool->ready, &pool->load.idle_ns);
  }
  pthread_mutex_unlock (&pool->lock);
  return NULL;
}

int
pool_start_workers (struct pool *pool, struct error *err)
{
  unsigned int i;

  pool->workers = calloc (pool->worker_count, sizeof *pool->workers);
  if (pool->workers == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up workers");
  for (i = 0; i < pool->worker_count; i++) {
    pool->workers[i].pool = pool;
    if (pool->job.open (pool->job.opaque, &pool->workers[i].context, err) < 0)
      return -1;
  }
  for (i = 0; i < pool->thread_count; i++) {
    struct worker *worker = &pool->workers[i];
    int result = thread_start (&worker->thread, worker_main, worker);

    if (result != 0)
      return error_set (err, ERROR_FAILED, result, "cannot start a thread");
    worker->started = true;
  }
  return 0;
}

void
pool_end_workers (struct pool *pool)
{
  unsigned int i;

  for (i = 0; pool->workers != NULL && i < pool->worker_count; i++)
    if (pool->workers[i].started)
      pthread_join (pool->workers[i].thread, NULL);
  for (i = 0; pool->workers != NULL && i < pool->worker_count; i++)
    if (pool->workers[i].context != NULL)
      pool->job.close (pool->workers[i].context);
  free (pool->workers);
}
