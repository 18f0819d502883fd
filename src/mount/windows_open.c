/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory and threads for the windows of files that are being written. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mount/recording.h"
#include "mount/writing_private.h"
#include "util/buffer.h"
#include "util/clock.h"
#include "util/thread.h"

/* With more nothing gets faster: two threads that pack, a writer, and what is
 * held for later.
 */
#define WINDOWS_EACH 6u
#define WINDOWS_MOST 24u
#define WINDOWS_LEAST 4u

/* Of threads that pack what could be stored: they must not slow the writer. */
#define WORKER_NICE 10

/* One window in so many, and as many at least, is written again: a save of a
 * guest that stands still has one in three hundred.
 */
#define REWRITTEN_PART 8u
#define REWRITTEN_LEAST 8u

uint64_t
windows_least_memory (uint32_t chunk_bytes)
{
  /* And for one thread, the storer and the loader, a record each. */
  return (WINDOWS_LEAST + 3) * (record_bytes_max (chunk_bytes) + PAGE_BYTES);
}

/* How many threads and windows MEMORY_BYTES is enough for. */
static void
plan (struct windows *windows, uint64_t memory_bytes, unsigned int threads)
{
  uint64_t units = memory_bytes /
    (record_bytes_max (windows->chunk_bytes) + PAGE_BYTES);
  uint64_t most;

  units = maximum_u64 (units, WINDOWS_LEAST + 3) - 2;
  windows->threads = (unsigned int)
    minimum_u64 (maximum_u64 (threads, 1), maximum_u64 (units / 4, 1));
  most = maximum_u64 (WINDOWS_MOST,
                      (uint64_t) WINDOWS_EACH * windows->threads);
  windows->count = (unsigned int) minimum_u64 (units - windows->threads, most);
}

static int
share_memory (struct windows *windows, struct error *err)
{
  uint32_t chunk = windows->chunk_bytes;
  unsigned int i;

  windows->held = calloc (windows->count, sizeof *windows->held);
  windows->packers = calloc (windows->threads, sizeof *windows->packers);
  windows->memory = buffer_allocate ((size_t) windows->count * chunk);
  if (windows->held == NULL || windows->packers == NULL ||
      windows->memory == NULL)
    return error_set (err, ERROR_FAILED, ENOMEM,
                      "cannot allocate %u windows", windows->count);
  for (i = 0; i < windows->count; i++) {
    windows->held[i].window.pages = windows->memory + (size_t) i * chunk;
    TAILQ_INSERT_TAIL (&windows->free, &windows->held[i], link);
  }
  return 0;
}

uint64_t
windows_quiet_ns (const struct windows *windows)
{
  return clock_nanoseconds (CLOCK_MONOTONIC) -
    atomic_load (&windows->recorded_ns);
}

/* The calling thread gets what processor time the others leave. */
static void
give_way (void)
{
  setpriority (PRIO_PROCESS, (id_t) gettid (), WORKER_NICE);
}

/* Under the lock: whether OWNER is one whose windows are written again and
 * again, as when a guest runs while it is saved.  What is packed of it would be
 * so in vain; it is packed when it is closed.
 */
static bool
is_rewritten (const struct writing *owner)
{
  return owner->records_again > owner->records.count / REWRITTEN_PART +
    REWRITTEN_LEAST;
}

/* Under the lock, which is given up meanwhile: make a record of HELD. */
static void
work (struct windows *windows, struct recorder *recorder, struct held *held)
{
  TAILQ_REMOVE (&windows->waiting, held, link);
  held->state = HELD_BUSY;
  if (!windows->pack_now && is_rewritten (held->owner)) {
    windows_store (windows, held);
    return;
  }
  pthread_mutex_unlock (&windows->lock);
  record_held (windows, recorder, held);
  pthread_mutex_lock (&windows->lock);
}

static void *
worker_main (void *opaque)
{
  struct packer *packer = opaque;
  struct windows *windows = packer->windows;
  struct held *held;

  if (!windows->pack_now)
    give_way ();
  pthread_mutex_lock (&windows->lock);
  for (;;) {
    while ((held = TAILQ_FIRST (&windows->waiting)) == NULL &&
           !windows->closing)
      pthread_cond_wait (&windows->work, &windows->lock);
    if (held == NULL)
      break;
    work (windows, packer->recorder, held);
  }
  pthread_mutex_unlock (&windows->lock);
  return NULL;
}

static int
open_recorders (struct windows *windows, struct error *err)
{
  const struct mounting *mounting = windows->mounting;
  unsigned int i;

  if (recorder_open (&mounting->header, NULL, &windows->storer, err) < 0 ||
      loader_open (&mounting->header, mounting->codec, &windows->loader,
                   err) < 0)
    return -1;
  for (i = 0; i < windows->threads; i++)
    if (recorder_open (&mounting->header, mounting->codec,
                       &windows->packers[i].recorder, err) < 0)
      return -1;
  return 0;
}

static int
start_workers (struct windows *windows, struct error *err)
{
  while (windows->started < windows->threads) {
    struct packer *packer = &windows->packers[windows->started];
    int result;

    packer->windows = windows;
    result = thread_start (&packer->thread, worker_main, packer);
    if (result != 0)
      return error_set (err, ERROR_FAILED, result, "cannot start a thread");
    windows->started++;
  }
  return 0;
}

int
windows_open (const struct mounting *mounting, uint64_t memory_bytes,
              unsigned int threads, bool pack_now,
              struct windows **windows_out, struct error *err)
{
  struct windows *windows = calloc (1, sizeof *windows);

  if (windows == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up writing");
  windows->mounting = mounting;
  windows->chunk_bytes = mounting->header.chunk_bytes;
  windows->pack_now = pack_now;
  pthread_mutex_init (&windows->storing, NULL);
  pthread_mutex_init (&windows->loading, NULL);
  pthread_mutex_init (&windows->lock, NULL);
  pthread_cond_init (&windows->changed, NULL);
  pthread_cond_init (&windows->work, NULL);
  LIST_INIT (&windows->writings);
  TAILQ_INIT (&windows->free);
  TAILQ_INIT (&windows->open);
  TAILQ_INIT (&windows->waiting);
  plan (windows, memory_bytes, threads);
  if (share_memory (windows, err) < 0 || open_recorders (windows, err) < 0 ||
      start_workers (windows, err) < 0) {
    windows_close (windows);
    return -1;
  }
  *windows_out = windows;
  return 0;
}

void
windows_close (struct windows *windows)
{
  unsigned int i;

  if (windows == NULL)
    return;
  pthread_mutex_lock (&windows->lock);
  windows->closing = true;
  pthread_cond_broadcast (&windows->work);
  pthread_mutex_unlock (&windows->lock);
  for (i = 0; i < windows->started; i++)
    pthread_join (windows->packers[i].thread, NULL);
  for (i = 0; windows->packers != NULL && i < windows->threads; i++)
    recorder_close (windows->packers[i].recorder);
  recorder_close (windows->storer);
  loader_close (windows->loader);
  pthread_cond_destroy (&windows->work);
  pthread_cond_destroy (&windows->changed);
  pthread_mutex_destroy (&windows->lock);
  pthread_mutex_destroy (&windows->loading);
  pthread_mutex_destroy (&windows->storing);
  buffer_free (windows->memory,
               (size_t) windows->count * windows->chunk_bytes);
  free (windows->packers);
  free (windows->held);
  free (windows);
}
