/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the pool and its workers share. */

#ifndef IOPRESS_PIPELINE_POOL_PRIVATE_H
#define IOPRESS_PIPELINE_POOL_PRIVATE_H

#include <pthread.h>

#include "pipeline/pool.h"

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

/* Open the contexts and start the threads.  Returns 0, or -1 with ERR; end them
 * in both cases.
 */
int pool_start_workers (struct pool *pool, struct error *err);

/* Wait for the threads, which have been told to stop, and free what is theirs.
 */
void pool_end_workers (struct pool *pool);

/* The rest is called under the lock. */

/* Wait on CONDITION and add the time to *SPENT. */
void pool_wait (struct pool *pool, pthread_cond_t *condition, uint64_t *spent);

/* The slot can be taken again. */
void pool_put_back (struct pool *pool, struct slot *slot);

/* See pool_left. */
uint64_t pool_count_left (const struct pool *pool);

/* Do the work of the next slot, if one waits, here, with the lock given up. */
void pool_work_here (struct pool *pool);

/* Deliver SLOT, with the lock given up. */
void pool_deliver_here (struct pool *pool, struct slot *slot);

#endif /* IOPRESS_PIPELINE_POOL_PRIVATE_H */
