/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ordered pool and its serial twin. */

#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pipeline/pool.h"
#include "sandbox/memory_only.h"
#include "util/bytes.h"
#include "util/clock.h"
#include "util/thread.h"

/* One in so many slots is worth waking the reader for. */
#define SLOTS_WORTHWHILE 4u

enum slot_state {
  SLOT_FREE,
  SLOT_TAKEN,                  /* with the reader */
  SLOT_READY,                  /* waits for a worker */
  SLOT_WORKING,
  SLOT_DONE,                   /* waits for its turn */
  SLOT_OUT,                    /* with the writer */
  SLOT_DELIVERY,               /* with a worker again, or waits for one */
};

struct worker {
  struct pool *pool;
  pthread_t thread;
  bool started;
  void *context;
  struct error failed;         /* it cannot work, and this is why */
};

/* Slots in the order in which they are to be taken. */
STAILQ_HEAD (slot_queue, slot);

struct pool {
  struct job job;
  struct delivery delivery;
  unsigned int thread_count;
  unsigned int worker_count;   /* contexts: thread_count, or 1 when serial */
  struct worker *workers;
  struct slots slots;          /* ticket T lives in slot T % count */

  /* Everything below, and every slot's state, under this lock. */
  pthread_mutex_t lock;
  pthread_cond_t freed;        /* slots became free */
  pthread_cond_t ready;        /* a slot waits for a worker */
  pthread_cond_t done;         /* a slot is done, the input ended, or WANTED */
  struct slot_queue ready_slots;
  struct slot_queue deliveries;
  unsigned int delivery_count; /* slots to be delivered or being so */
  bool wanted;                 /* the writer has something to see to */
  uint64_t next_in, next_out;  /* tickets */
  unsigned int free_count;     /* slots */
  bool input_ended;
  bool stopped;
  struct pool_load load;
};

/* Under the lock: wait on CONDITION and add the time to *SPENT. */
static void
wait_timed (struct pool *pool, pthread_cond_t *condition, uint64_t *spent)
{
  uint64_t start = clock_nanoseconds (CLOCK_MONOTONIC);

  pthread_cond_wait (condition, &pool->lock);
  *spent += clock_nanoseconds (CLOCK_MONOTONIC) - start;
}

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
  /* Now any free slot counts: see release. */
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
  if (job->confined && (denied = memory_only_denied ()) != NULL)
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

/* Under the lock: the slot can be taken again. */
static void
release (struct pool *pool, struct slot *slot)
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

/* Under the lock: see pool_left. */
static uint64_t
left (const struct pool *pool)
{
  return pool->input_ended
    ? pool->next_in - pool->next_out + pool->delivery_count : UINT64_MAX;
}

/* Under the lock: deliver one slot, with the lock given up. */
static void
deliver (struct pool *pool, struct slot *slot)
{
  bool wanted;

  pthread_mutex_unlock (&pool->lock);
  wanted = pool->delivery.deliver (pool->delivery.opaque, slot);
  pthread_mutex_lock (&pool->lock);
  release (pool, slot);
  pool->delivery_count--;
  if (wanted || left (pool) == 0) {
    pool->wanted = true;
    pthread_cond_signal (&pool->done);
  }
}

static void *
worker_main (void *opaque)
{
  struct worker *worker = opaque;
  struct pool *pool = worker->pool;

  if (pool->job.confined)
    memory_only_enter (pool->job.read_fd, &worker->failed);
  pthread_mutex_lock (&pool->lock);
  while (!pool->stopped) {
    struct slot *slot = queue_remove (&pool->deliveries);

    if (slot != NULL)
      deliver (pool, slot);
    else if ((slot = next_ready (pool)) != NULL)
      work_on (pool, worker, slot);
    else
      wait_timed (pool, &pool->ready, &pool->load.idle_ns);
  }
  pthread_mutex_unlock (&pool->lock);
  return NULL;
}

static int
create_workers (struct pool *pool, struct error *err)
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
      create_workers (pool, err) < 0) {
    pool_free (pool);
    return -1;
  }
  *pool_out = pool;
  return 0;
}

void
pool_free (struct pool *pool)
{
  unsigned int i;

  if (pool == NULL)
    return;
  pool_stop (pool);
  for (i = 0; pool->workers != NULL && i < pool->worker_count; i++)
    if (pool->workers[i].started)
      pthread_join (pool->workers[i].thread, NULL);
  for (i = 0; pool->workers != NULL && i < pool->worker_count; i++)
    if (pool->workers[i].context != NULL)
      pool->job.close (pool->workers[i].context);
  pthread_cond_destroy (&pool->done);
  pthread_cond_destroy (&pool->ready);
  pthread_cond_destroy (&pool->freed);
  pthread_mutex_destroy (&pool->lock);
  slots_free (&pool->slots);
  free (pool->workers);
  free (pool);
}

struct slot *
pool_take (struct pool *pool, bool wait)
{
  struct slot *slot;

  pthread_mutex_lock (&pool->lock);
  slot = slot_of (pool, pool->next_in);
  while (wait && !pool->stopped && slot->state != SLOT_FREE)
    wait_timed (pool, &pool->freed, &pool->load.reader_waited_ns);
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

/* Under the lock: the serial twin works when it is asked for the result. */
static void
work_serially (struct pool *pool)
{
  struct slot *slot = next_ready (pool);

  if (slot != NULL)
    work_on (pool, &pool->workers[0], slot);
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
  if (pool->thread_count == 0)
    work_serially (pool);
  slot = slot_of (pool, pool->next_out);
  while (wait && !pool->stopped && left (pool) > 0 &&
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
  release (pool, slot);
  pthread_mutex_unlock (&pool->lock);
}

void
pool_deliver (struct pool *pool, struct slot *slot)
{
  pthread_mutex_lock (&pool->lock);
  slot->state = SLOT_DELIVERY;
  pool->delivery_count++;
  if (pool->thread_count == 0)
    deliver (pool, slot);
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
  result = left (pool);
  pthread_mutex_unlock (&pool->lock);
  return result;
}
