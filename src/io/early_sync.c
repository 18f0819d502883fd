/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flushing a file to disk while it is still being written. */

#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "io/early_sync.h"
#include "util/clock.h"
#include "util/thread.h"

/* There is at least so much to flush. */
#define STEP_BYTES (8u << 20)

/* After a flush others have the disk for the time that it took over this. */
#define REST_DIVISOR 4u

#define NEVER UINT64_MAX

struct early_sync {
  struct file *file;
  uint64_t due;                /* bytes written before the next flush, or
                                * NEVER: no thread was to be had */
  uint64_t rested_ns;          /* the disk has had a rest by then */
  bool under_way;              /* THREAD flushes, or has */

  pthread_t thread;
  uint64_t began_ns;           /* on the monotonic clock */

  /* The thread's, until it is joined. */
  uint64_t ended_ns;
  struct error error;
  atomic_bool ended;
};

int
early_sync_open (struct file *file, struct early_sync **sync_out,
                 struct error *err)
{
  struct early_sync *sync = NULL;

  if (!file->stream) {
    sync = calloc (1, sizeof *sync);
    if (sync == NULL)
      return error_set (err, ERROR_FAILED, errno, "cannot set up flushing");
    sync->file = file;
    sync->due = STEP_BYTES;
  }
  *sync_out = sync;
  return 0;
}

static void *
flush_main (void *opaque)
{
  struct early_sync *sync = opaque;

  file_sync (sync->file, &sync->error);
  sync->ended_ns = clock_nanoseconds (CLOCK_MONOTONIC);
  atomic_store (&sync->ended, true);
  return NULL;
}

/* Take note of the end of the flush under way, waiting for it when WAIT is set.
 * Returns 0, or -1 with ERR when it failed.
 */
static int
reap (struct early_sync *sync, bool wait, struct error *err)
{
  if (!sync->under_way || (!wait && !atomic_load (&sync->ended)))
    return 0;
  pthread_join (sync->thread, NULL);
  sync->under_way = false;
  sync->rested_ns = sync->ended_ns +
    (sync->ended_ns - sync->began_ns) / REST_DIVISOR;
  if (sync->error.kind == ERROR_NONE)
    return 0;
  *err = sync->error;
  return -1;
}

static void
start (struct early_sync *sync, uint64_t written)
{
  sync->error = (struct error) { 0 };
  sync->began_ns = clock_nanoseconds (CLOCK_MONOTONIC);
  atomic_store (&sync->ended, false);
  sync->under_way = thread_start (&sync->thread, flush_main, sync) == 0;
  sync->due = sync->under_way ? written + STEP_BYTES : NEVER;
}

int
early_sync_idle (struct early_sync *sync, uint64_t written,
                 struct error *err)
{
  if (sync == NULL)
    return 0;
  if (reap (sync, false, err) < 0)
    return -1;
  if (!sync->under_way && written >= sync->due &&
      clock_nanoseconds (CLOCK_MONOTONIC) >= sync->rested_ns)
    start (sync, written);
  return 0;
}

int
early_sync_finish (struct early_sync *sync, struct error *err)
{
  return sync == NULL ? 0 : reap (sync, true, err);
}

void
early_sync_close (struct early_sync *sync)
{
  struct error ignored = { 0 };

  early_sync_finish (sync, &ignored);
  free (sync);
}
