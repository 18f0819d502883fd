/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ordered pool and its serial twin. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "pipeline/pool_private.h"
#include "util/clock.h"

struct pool_load
pool_load (struct pool *pool)
{
  struct pool_load load;

  pthread_mutex_lock (&pool->lock);
  load = pool->load;
  pthread_mutex_unlock (&pool->lock);
  load.workers = pool->worker_count;
  load.time_ns = clock_nanoseconds (CLOCK_MONOTONIC);
  return load;
}

static struct slot *
slot_of (const struct pool *pool, uint64_t ticket)
{
  return &pool->slots.list[ticket % pool->slots.count];
}

int
pool_create (const struct job *job, const struct delivery *delivery,
             unsigned int threads, unsigned int slots, struct pool **pool_out,
             struct error *err)
{
  struct pool *pool = calloc (1, sizeof *pool);

  if (pool == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up workers");
  pool->job = *job;
  if (delivery != NULL)
    pool->delivery = *delivery;
  pool->thread_count = threads;
  pool->worker_count = threads > 0 ? threads : 1;
  pool->free_count = slots;
  STAILQ_INIT (&pool->ready_slots);
  STAILQ_INIT (&pool->deliveries);
  pthread_mutex_init (&pool->lock, NULL);
  pthread_cond_init (&pool->freed, NULL);
  pthread_cond_init (&pool->ready, NULL);
  pthread_cond_init (&pool->done, NULL);
  if (slots_create (slots, job->raw_bytes, job->packed_bytes, &pool->slots,
                    err) < 0 ||
      pool_start_workers (pool, err) < 0) {
    pool_free (pool);
    return -1;
  }
  *pool_out = pool;
  return 0;
}

void
pool_free (struct pool *pool)
{
  if (pool == NULL)
    return;
  pool_stop (pool);
  pool_end_workers (pool);
  pthread_cond_destroy (&pool->done);
  pthread_cond_destroy (&pool->ready);
  pthread_cond_destroy (&pool->freed);
  pthread_mutex_destroy (&pool->lock);
  slots_free (&pool->slots);
  free (pool);
}

struct slot *
pool_take (struct pool *pool, bool wait)
{
  struct slot *slot;

  pthread_mutex_lock (&pool->lock);
  slot = slot_of (pool, pool->next_in);
  while (wait && !pool->stopped && slot->state != SLOT_FREE)
    pool_wait (pool, &pool->freed, &pool->load.reader_waited_ns);
  if (pool->stopped || slot->state != SLOT_FREE)
    slot = NULL;
  else {
    slot->state = SLOT_TAKEN;
    pool->free_count--;
    slot->ticket = pool->next_in++;
    slot->error = (struct error) { 0 };
    slot->window.pages = slot->raw;
    slot->has_entry = false;
    slot->lost = false;
  }
  pthread_mutex_unlock (&pool->lock);
  return slot;
}

void
pool_untake (struct pool *pool, struct slot *slot)
{
  pthread_mutex_lock (&pool->lock);
  slot->state = SLOT_FREE;
  pool->free_count++;
  pool->next_in--;
  pthread_mutex_unlock (&pool->lock);
}

void
pool_submit (struct pool *pool, struct slot *slot)
{
  pthread_mutex_lock (&pool->lock);
  slot->state = SLOT_READY;
  STAILQ_INSERT_TAIL (&pool->ready_slots, slot, next);
  pthread_cond_signal (&pool->ready);
  pthread_mutex_unlock (&pool->lock);
}

void
pool_end_input (struct pool *pool)
{
  pthread_mutex_lock (&pool->lock);
  pool->input_ended = true;
  pthread_cond_broadcast (&pool->done);
  pthread_mutex_unlock (&pool->lock);
}

/* The time on the condition variables' clock a fifth of a second from now. */
static struct timespec
soon (void)
{
  struct timespec time;

  clock_gettime (CLOCK_REALTIME, &time);
  time.tv_nsec += 200000000;
  if (time.tv_nsec >= 1000000000) {
    time.tv_nsec -= 1000000000;
    time.tv_sec++;
  }
  return time;
}

struct slot *
pool_dequeue (struct pool *pool, bool wait)
{
  struct timespec until = soon ();
  struct slot *slot;

  pthread_mutex_lock (&pool->lock);
  /* The serial twin works when it is asked for the result. */
  if (pool->thread_count == 0)
    pool_work_here (pool);
  slot = slot_of (pool, pool->next_out);
  while (wait && !pool->stopped && pool_count_left (pool) > 0 &&
         slot->state != SLOT_DONE && !pool->wanted)
    wait = pthread_cond_timedwait (&pool->done, &pool->lock, &until) == 0;
  pool->wanted = false;
  if (pool->stopped || slot->state != SLOT_DONE ||
      slot->ticket != pool->next_out)
    slot = NULL;
  else {
    slot->state = SLOT_OUT;
    pool->next_out++;
  }
  pthread_mutex_unlock (&pool->lock);
  return slot;
}

void
pool_release (struct pool *pool, struct slot *slot)
{
  pthread_mutex_lock (&pool->lock);
  pool_put_back (pool, slot);
  pthread_mutex_unlock (&pool->lock);
}

void
pool_deliver (struct pool *pool, struct slot *slot)
{
  pthread_mutex_lock (&pool->lock);
  slot->state = SLOT_DELIVERY;
  pool->delivery_count++;
  if (pool->thread_count == 0)
    pool_deliver_here (pool, slot);
  else {
    STAILQ_INSERT_TAIL (&pool->deliveries, slot, next);
    pthread_cond_signal (&pool->ready);
  }
  pthread_mutex_unlock (&pool->lock);
}

void
pool_stop (struct pool *pool)
{
  pthread_mutex_lock (&pool->lock);
  pool->stopped = true;
  pthread_cond_broadcast (&pool->freed);
  pthread_cond_broadcast (&pool->ready);
  pthread_cond_broadcast (&pool->done);
  pthread_mutex_unlock (&pool->lock);
}

uint64_t
pool_left (struct pool *pool)
{
  uint64_t result;

  pthread_mutex_lock (&pool->lock);
  result = pool_count_left (pool);
  pthread_mutex_unlock (&pool->lock);
  return result;
}
