/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running a pipeline: reader, workers, writer. */

#ifndef IOPRESS_PIPELINE_RUN_H
#define IOPRESS_PIPELINE_RUN_H

#include <signal.h>

#include "pipeline/pool.h"

/* Where slots are filled.  All calls come from one thread. */
struct intake {
  void *opaque;

  /* Start filling SLOT with the next item.  Returns 1 when started, 0 at the
   * end of the input, -1 with ERR (the input ends there).
   */
  int (*begin) (void *opaque, struct slot *slot, struct error *err);

  /* Wait until one of the started slots is filled; there is at least one.
   * A failure is in its slot->error.
   */
  struct slot *(*finish) (void *opaque);

  /* Optional, from another thread: make begin return -1 soon, even when its
   * input has stalled.
   */
  void (*interrupt) (void *opaque);

  /* How many slots to have started at a time. */
  unsigned int depth;

  /* Whose offsets the workers read at where a slot has a cache; -1: none. */
  int read_fd;
};

/* What a sink says of a slot. */
enum sink_answer {
  SINK_DONE,                   /* it is not needed any more */
  SINK_DELIVER,                /* a worker is to call deliver for it */
  SINK_KEEP,                   /* the sink has it until finish gives it back */
};

/* Where slots go.  All calls come from one thread. */
struct sink {
  void *opaque;

  /* Start using up SLOT; slots come in order.  Returns an enum sink_answer, or
   * -1 with ERR, and has no use for SLOT then.
   */
  int (*begin) (void *opaque, struct slot *slot, struct error *err);

  /* For a sink that answers SINK_DELIVER; see struct delivery. */
  bool (*deliver) (void *opaque, struct slot *slot);

  /* Optional, called between slots and soon after deliver has returned true: go
   * on with what has become possible.  Returns 0, or -1 with ERR.
   */
  int (*poll) (void *opaque, struct error *err);

  /* For a sink that answers SINK_KEEP, called while it has a slot: *SLOT is one
   * that is no longer needed, or, with WAIT false only, NULL when there is none
   * yet.  A failure is in slot->error.
   */
  void (*finish) (void *opaque, bool wait, struct slot **slot);

  /* Optional, called once at most: only few slots are still to come, of many.
   * It may wait for the device.
   */
  void (*wind_down) (void *opaque);

  /* Not called by pipeline_run.  Optional: all slots have come; write what
   * stands after them, and wait for the last byte.  What was flushed meanwhile
   * says whether that failed, for the rest call file_sync.  Returns 0, or -1
   * with ERR.
   */
  int (*complete) (void *opaque, struct error *err);

  /* Likewise.  Optional: free it, whether it is complete or not. */
  void (*close) (void *opaque);
};

/* Before a sink is opened: nothing to close. */
#define SINK_CLOSED { .opaque = NULL }

int sink_complete (const struct sink *sink, struct error *err);
void sink_close (const struct sink *sink);

/* How to run. */
struct run_options {
  unsigned int threads;        /* workers; 0: serial, in one thread */
  /* The most that slots may take, in bytes; there is always one.  0: as many as
   * are good.
   */
  uint64_t memory_bytes;
  bool confined;               /* the workers get memory only; see struct job */
  /* When it becomes non-zero the run ends with ERROR_CANCELLED; may be NULL. */
  const volatile sig_atomic_t *cancelled;
  /* Called from the writer's thread as slots are used up; may be NULL.
   * WINDOW is the slot's.
   */
  void (*progress) (void *opaque, uint64_t window);
  void *progress_opaque;
  /* Called before that for a window of which nothing could be salvaged; may be
   * NULL.
   */
  void (*lost) (void *opaque, uint64_t window);
  void *lost_opaque;
  /* Asked likewise before the sink gets a slot whether to go on; may be NULL.
   * Returns 0, or -1 with ERR.
   */
  int (*check) (void *opaque, struct error *err);
  void *check_opaque;
  /* Called likewise, with what the pool has been doing; may be NULL. */
  void (*balance) (void *opaque, const struct pool_load *load);
  void *balance_opaque;
};

/* Move everything from INTAKE through JOB to SINK.  The first error wins, in
 * the order of the slots: what comes before it still reaches the sink, but may
 * not be delivered.
 * Intake and sink have no slot when this returns.  Returns 0, or
 * -1 with ERR.
 */
int pipeline_run (const struct intake *intake, const struct job *job,
                  const struct sink *sink, const struct run_options *options,
                  struct error *err);

/* The threads this process may use. */
unsigned int processor_count (void);

#endif /* IOPRESS_PIPELINE_RUN_H */
