/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running a pipeline: reader, workers, writer. */

#include <config.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/run.h"
#include "util/thread.h"

/* How many slots are few, to a sink, and how many are many: of a short run all
 * would be few.
 */
#define SLOTS_FEW 8u
#define SLOTS_MANY 64u

/* Windows are quick and slow in turn, to read, to work on and to write: as many
 * may pile up before one side waits for another.
 */
#define SLOTS_SPARE 8u

struct run {
  const struct intake *intake;
  const struct sink *sink;
  const struct run_options *options;
  struct pool *pool;

  /* The reader's. */
  unsigned int started;        /* slots taken and not finished */
  bool ended;                  /* nothing more to begin */

  /* The writer's. */
  unsigned int held;           /* slots that the sink holds */
  uint64_t written;            /* slots that it has had */
  bool winding_down;
};

/* Begin slots until enough are under way or none is free.  Returns false
 * when the pool was stopped.
 */
static bool
begin_slots (struct run *run, bool wait)
{
  while (!run->ended && run->started < run->intake->depth) {
    struct slot *slot = pool_take (run->pool, wait && run->started == 0);
    int began;

    if (slot == NULL)
      return run->started > 0 || !wait;
    began = run->intake->begin (run->intake->opaque, slot, &slot->error);
    run->ended = began <= 0;
    if (began > 0)
      run->started++;
    else if (began < 0)
      pool_submit (run->pool, slot);
    else
      pool_untake (run->pool, slot);
  }
  return true;
}

/* One step of the reader: keep slots under way, pass on one that is filled.
 * Returns false when there is nothing more to do.
 */
static bool
read_step (struct run *run, bool wait)
{
  bool going = begin_slots (run, wait);

  if (run->started > 0) {
    pool_submit (run->pool, run->intake->finish (run->intake->opaque));
    run->started--;
  }
  if (run->started > 0 || (going && !run->ended))
    return true;
  pool_end_input (run->pool);
  return false;
}

static void *
reader_main (void *opaque)
{
  struct run *run = opaque;

  while (read_step (run, true))
    ;
  return NULL;
}

/* Take back slots that the sink holds, waiting for one when WAIT is set. */
static int
collect_slots (struct run *run, bool wait, struct error *err)
{
  while (run->held > 0) {
    struct slot *slot;

    run->sink->finish (run->sink->opaque, wait, &slot);
    if (slot == NULL)
      break;
    wait = false;
    *err = slot->error;
    run->held--;
    pool_release (run->pool, slot);
    if (err->kind != ERROR_NONE)
      return -1;
  }
  return 0;
}

/* Say what is known of a slot that the sink is to have. */
static void
tell (const struct run_options *options, const struct slot *slot)
{
  if (slot->lost && options->lost != NULL)
    options->lost (options->lost_opaque, slot->window.number);
  if (options->progress != NULL)
    options->progress (options->progress_opaque, slot->window.number);
}

static int
write_slot (struct run *run, struct slot *slot, struct error *err)
{
  const struct run_options *options = run->options;
  int answer;

  if (slot->error.kind != ERROR_NONE) {
    *err = slot->error;
    return -1;
  }
  if (options->check != NULL && options->check (options->check_opaque, err) < 0)
    return -1;
  run->written++;
  answer = run->sink->begin (run->sink->opaque, slot, err);
  if (answer < 0)
    return -1;
  tell (options, slot);
  if (answer == SINK_DELIVER)
    pool_deliver (run->pool, slot);
  else if (answer == SINK_KEEP)
    run->held++;
  else
    pool_release (run->pool, slot);
  if (options->balance != NULL) {
    struct pool_load load = pool_load (run->pool);

    options->balance (options->balance_opaque, &load);
  }
  return 0;
}

static void
wind_down (struct run *run)
{
  if (run->winding_down || run->sink->wind_down == NULL ||
      run->written < SLOTS_MANY || pool_left (run->pool) > SLOTS_FEW)
    return;
  run->winding_down = true;
  run->sink->wind_down (run->sink->opaque);
}

static int
fail_cancelled (int number, struct error *err)
{
  return error_set (err, ERROR_CANCELLED, 0, "cancelled by signal %d (%s)",
                    number, strsignal (number));
}

/* One step of the writer.  Returns 1 to go on, 0 at the end, -1 with ERR. */
static int
write_step (struct run *run, bool wait, struct error *err)
{
  struct slot *slot;

  if (run->options->cancelled != NULL && *run->options->cancelled != 0)
    return fail_cancelled ((int) *run->options->cancelled, err);
  slot = pool_dequeue (run->pool, wait && run->held == 0);
  if (run->sink->poll != NULL &&
      run->sink->poll (run->sink->opaque, err) < 0)
    return -1;
  if (slot != NULL && write_slot (run, slot, err) < 0)
    return -1;
  if (collect_slots (run, slot == NULL, err) < 0)
    return -1;
  wind_down (run);
  return slot != NULL || run->held > 0 || pool_left (run->pool) > 0;
}

static int
run_serially (struct run *run, struct error *err)
{
  bool reading = true;
  int result;

  do {
    if (reading)
      reading = read_step (run, false);
    result = write_step (run, false, err);
  } while (result > 0);
  return result;
}

static int
run_threaded (struct run *run, pthread_t *reader, bool *reader_started,
              struct error *err)
{
  int result = thread_start (reader, reader_main, run);

  if (result != 0)
    return error_set (err, ERROR_FAILED, result, "cannot start a thread");
  *reader_started = true;
  do
    result = write_step (run, true, err);
  while (result > 0);
  return result;
}

/* Wait for all that is still under way; its results no longer count. */
static void
quiesce (struct run *run)
{
  struct slot *slot;

  while (run->started > 0) {
    run->intake->finish (run->intake->opaque);
    run->started--;
  }
  for (; run->held > 0; run->held--)
    run->sink->finish (run->sink->opaque, true, &slot);
}

/* Two for each worker, what the reader has in flight, and some to spare; or as
 * many as may be.
 */
static unsigned int
slot_count (const struct intake *intake, const struct job *job,
            const struct run_options *options)
{
  unsigned int count = 2 * options->threads + intake->depth + SLOTS_SPARE;
  uint64_t most = options->memory_bytes / (job->raw_bytes +
                                           job->packed_bytes);

  if (options->memory_bytes == 0)
    return count;
  return (unsigned int) minimum_u64 (count, maximum_u64 (most, 1));
}

int
pipeline_run (const struct intake *intake, const struct job *job,
              const struct sink *sink, const struct run_options *options,
              struct error *err)
{
  struct run run = { .intake = intake, .sink = sink, .options = options };
  const struct delivery delivery = {
    .opaque = sink->opaque,
    .deliver = sink->deliver,
  };
  struct memory_only confinement;
  struct job confined = *job;
  bool reader_started = false;
  pthread_t reader;
  int result;

  if (options->confined && options->threads > 0) {
    if (memory_only_prepare (intake->read_fd, &confinement, err) < 0)
      return -1;
    confined.confinement = &confinement;
  }
  if (pool_create (&confined, &delivery, options->threads,
                   slot_count (intake, job, options), &run.pool, err) < 0)
    return -1;
  if (options->threads == 0)
    result = run_serially (&run, err);
  else
    result = run_threaded (&run, &reader, &reader_started, err);
  pool_stop (run.pool);
  if (reader_started) {
    if (intake->interrupt != NULL)
      intake->interrupt (intake->opaque);
    pthread_join (reader, NULL);
  }
  quiesce (&run);
  pool_free (run.pool);
  return result;
}

int
sink_complete (const struct sink *sink, struct error *err)
{
  return sink->complete != NULL ? sink->complete (sink->opaque, err) : 0;
}

void
sink_close (const struct sink *sink)
{
  if (sink->close != NULL)
    sink->close (sink->opaque);
}

unsigned int
processor_count (void)
{
  cpu_set_t set;
  long count;

  /* More processors than a cpu_set_t holds: take them all. */
  if (sched_getaffinity (0, sizeof set, &set) == 0)
    count = CPU_COUNT (&set);
  else
    count = sysconf (_SC_NPROCESSORS_ONLN);
  return count > 0 ? (unsigned int) count : 1;
}
