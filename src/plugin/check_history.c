/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conformance checks: the same input gives the same frame, whatever came before
 * and whoever else is at work.
 */

#include <config.h>

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check_private.h"
#include "util/thread.h"

#define CONTEXTS 12u
#define THREADS 6u
#define ROUNDS 24u
#define SETTINGS 48u

/* The frame of a context that has done nothing else. */
static void
fresh_frame (struct check_run *run, int level, const char *parameters,
             size_t length, struct kept *frame)
{
  struct iopress_codec_context *context;

  context = check_open (run, level, parameters, CHECK_SMALL);
  check_frame (run, context, length, frame);
  check_close (run, context);
}

static void
expect_frame (struct check_run *run, struct iopress_codec_context *context,
              size_t length, const struct kept *wanted, const char *when)
{
  struct kept frame;

  check_frame (run, context, length, &frame);
  if (!kept_same (&frame, wanted))
    check_fail (run, ".compress of the same %zu bytes gives another frame %s",
                length, when);
  check_release (&frame);
}

/* The same bytes at another place, which is aligned otherwise. */
static void
expect_frame_anywhere (struct check_run *run,
                       struct iopress_codec_context *context, size_t length,
                       const struct kept *wanted)
{
  size_t room = check_bound (run, length), shift, result;
  uint8_t *input = malloc (length + 16), *output = malloc (room + 16);

  if (input == NULL || output == NULL)
    check_fail (run, "no memory for a copy of the input");
  for (shift = 0; shift < 16; shift += 5) {
    memcpy (input + shift, guarded_place (&run->input, length), length);
    check_begin (run, length, ".compress, %zu bytes into %zu", length, room);
    result = run->ops->compress (context, input + shift, length,
                                 output + shift, room);
    check_end (run);
    if (result != wanted->length ||
        memcmp (output + shift, wanted->bytes, result) != 0)
      check_fail (run, ".compress of the same %zu bytes gives another frame "
                  "when they stand elsewhere", length);
  }
  free (input);
  free (output);
}

/* All that a context can have been through. */
static void
repeat (struct check_run *run, struct iopress_codec_context *context,
        enum content content, const struct kept *wanted)
{
  static const uint8_t garbage[64] = { 0x5a };

  check_input (run, content, 11, CHECK_SMALL);
  expect_frame (run, context, CHECK_SMALL, wanted, "after other inputs");
  expect_frame (run, context, CHECK_SMALL, wanted, "the second time");
  check_gives_back (run, context, wanted, CHECK_SMALL);
  expect_frame (run, context, CHECK_SMALL, wanted, "after a decompress");
  check_decompress (run, context, garbage, sizeof garbage, 4096);
  expect_frame (run, context, CHECK_SMALL, wanted,
                "after a decompress that failed");
  check_compress (run, context, CHECK_SMALL, wanted->length / 2);
  expect_frame (run, context, CHECK_SMALL, wanted,
                "after there was no room for it");
  expect_frame_anywhere (run, context, CHECK_SMALL, wanted);
}

/* In another process, when the clock shows another second, on one processor and
 * without an environment.
 */
static void
repeat_later (struct check_run *run, void *opaque)
{
  const struct timespec second = { .tv_sec = 1, .tv_nsec = 50000000 };
  cpu_set_t processors;
  struct kept frame;

  nanosleep (&second, NULL);
  clearenv ();
  CPU_ZERO (&processors);
  CPU_SET ((unsigned int) sched_getcpu (), &processors);
  sched_setaffinity (0, sizeof processors, &processors);
  check_input (run, CONTENT_PAGES, 11, CHECK_SMALL);
  fresh_frame (run, run->ops->level_default, "", CHECK_SMALL, &frame);
  if (!kept_same (&frame, opaque))
    check_fail (run, ".compress of the same %zu bytes gives another frame a "
                "second later, in another process, on one processor, or "
                "without its environment", CHECK_SMALL);
}

void
check_repeats (struct check_run *run)
{
  int level = run->ops->level_default, content;
  struct iopress_codec_context *context;
  struct kept frames[CONTENT_KINDS], frame;

  check_buffers_open (run, CHECK_SMALL);
  for (content = 0; content < CONTENT_KINDS; content++) {
    check_input (run, (enum content) content, 11, CHECK_SMALL);
    fresh_frame (run, level, "", CHECK_SMALL, &frames[content]);
  }
  context = check_open (run, level, "", CHECK_SMALL);
  for (content = 2 * CONTENT_KINDS; content-- > 0;) {
    check_input (run, (enum content) (content % CONTENT_KINDS), 12, 5000);
    check_frame (run, context, 5000, NULL);
    repeat (run, context, (enum content) (content % CONTENT_KINDS),
            &frames[content % CONTENT_KINDS]);
  }
  check_close (run, context);
  check_apart (run, repeat_later, &frames[CONTENT_PAGES]);
  /* Memory that malloc gives is another now. */
  mallopt (M_PERTURB, 0x35);
  for (content = 0; content < CONTENT_KINDS; content++) {
    check_input (run, (enum content) content, 11, CHECK_SMALL);
    fresh_frame (run, level, "", CHECK_SMALL, &frame);
    if (!kept_same (&frame, &frames[content]))
      check_fail (run, "the frame depends on memory that was never written");
  }
}

/* Contexts that stand for workers, and the frame each has to make. */
struct worker {
  struct check_run run;
  struct iopress_codec_context *context;
  enum content content;
  size_t length;
  struct kept wanted, first;
};

static void
worker_set (struct check_run *run, struct worker *worker, unsigned int i)
{
  worker->run = *run;
  worker->run.beside = true;
  worker->content = (enum content) (i % CONTENT_KINDS);
  worker->length = CHECK_SMALL - i * 777;
}

static void
worker_open (struct check_run *run, struct worker *worker, unsigned int i)
{
  int level = run->ops->level_default;

  worker_set (run, worker, i);
  check_input (run, worker->content, i, worker->length);
  fresh_frame (run, level, "", worker->length, &worker->wanted);
  worker->context = check_open (run, level, "", CHECK_SMALL);
}

static void
worker_step (struct check_run *run, const struct worker *worker,
             unsigned int i, struct iopress_codec_context *context,
             const char *when)
{
  check_input (run, worker->content, i, worker->length);
  expect_frame (run, context, worker->length, &worker->wanted, when);
  check_gives_back (run, context, &worker->wanted, worker->length);
}

/* One of the levels, or of the texts of parameters behind them. */
static bool
setting (struct check_run *run, unsigned int index, int *level,
         char text[CHECK_TEXT_BYTES])
{
  unsigned int levels = 0;

  text[0] = '\0';
  while (levels <= index && check_level (run->ops, levels, level))
    levels++;
  if (levels > index)
    return true;
  *level = run->ops->level_default;
  return check_text (run->ops, index - levels, text) &&
    strlen (text) <= IOPRESS_CODEC_PARAMETERS_MAX;
}

/* Contexts of all settings, which the one that was opened last must not have
 * changed.
 */
static void
try_settings (struct check_run *run)
{
  static struct iopress_codec_context *contexts[SETTINGS];
  static struct kept wanted[SETTINGS];
  char text[CHECK_TEXT_BYTES];
  unsigned int count;
  int level;

  check_input (run, CONTENT_PAGES, 5, CHECK_SMALL);
  for (count = 0; count < SETTINGS && setting (run, count, &level, text);
       count++)
    fresh_frame (run, level, text, CHECK_SMALL, &wanted[count]);
  for (count = 0; count < SETTINGS && setting (run, count, &level, text);
       count++)
    contexts[count] = check_open (run, level, text, CHECK_SMALL);
  while (count-- > 0) {
    expect_frame (run, contexts[count], CHECK_SMALL, &wanted[count],
                  "when there are contexts of other levels or parameters");
    check_close (run, contexts[count]);
    check_release (&wanted[count]);
  }
}

void
check_contexts (struct check_run *run)
{
  static struct worker workers[CONTEXTS];
  struct worker *other;
  unsigned int i, round;

  check_buffers_open (run, CHECK_SMALL);
  try_settings (run);
  for (i = 0; i < CONTEXTS; i++)
    worker_open (run, &workers[i], i);
  for (round = 0; round < 3; round++)
    for (i = 0; i < CONTEXTS; i++) {
      other = &workers[(i * 5 + round) % CONTEXTS];
      worker_step (run, &workers[i], i, other->context,
                   "when there are other contexts");
    }
  for (i = 0; i < CONTEXTS; i += 2)
    check_close (run, workers[i].context);
  for (i = 1; i < CONTEXTS; i += 2) {
    worker_step (run, &workers[i], i, workers[i].context,
                 "when other contexts were closed");
    check_close (run, workers[i].context);
  }
}

static struct worker threads[THREADS];
static pthread_barrier_t barrier;

/* In each round the contexts are passed on to the next thread. */
static void *
work (void *opaque)
{
  struct worker *worker = opaque;
  unsigned int i = (unsigned int) (worker - threads), round;

  check_buffers_open (&worker->run, CHECK_SMALL);
  for (round = 0; round < ROUNDS; round++) {
    pthread_barrier_wait (&barrier);
    worker_step (&worker->run, worker, i,
                 threads[(i + round) % THREADS].context,
                 "while other threads are at work");
  }
  check_buffers_close (&worker->run);
  return NULL;
}

/* The first calls of the process come at the same time. */
static void *
begin_work (void *opaque)
{
  struct worker *worker = opaque;
  struct check_run *run = &worker->run;
  unsigned int i = (unsigned int) (worker - threads);
  int level = run->ops->level_default;

  check_buffers_open (run, CHECK_SMALL);
  check_input (run, worker->content, i, worker->length);
  pthread_barrier_wait (&barrier);
  fresh_frame (run, level, "", worker->length, &worker->first);
  check_buffers_close (run);
  return NULL;
}

static void
in_threads (struct check_run *run, void *(*function) (void *opaque))
{
  pthread_t started[THREADS];
  unsigned int i;

  check_begin (run, (size_t) THREADS * ROUNDS * CHECK_SMALL,
               "calls of %u threads", THREADS);
  for (i = 0; i < THREADS; i++)
    if (thread_start (&started[i], function, &threads[i]) != 0)
      check_fail (run, "a thread cannot be started");
  for (i = 0; i < THREADS; i++)
    pthread_join (started[i], NULL);
  check_end (run);
}

void
check_threads (struct check_run *run)
{
  unsigned int i;

  pthread_barrier_init (&barrier, NULL, THREADS);
  for (i = 0; i < THREADS; i++)
    worker_set (run, &threads[i], i);
  in_threads (run, begin_work);
  check_buffers_open (run, CHECK_SMALL);
  for (i = 0; i < THREADS; i++) {
    worker_open (run, &threads[i], i);
    if (!kept_same (&threads[i].first, &threads[i].wanted))
      check_fail (run, ".compress of the same %zu bytes gives another frame "
                  "when all threads begin at once", threads[i].length);
  }
  in_threads (run, work);
  for (i = 0; i < THREADS; i++)
    check_close (run, threads[i].context);
}

/* Parameters stay when the level changes. */
static void
set_with_parameters (struct check_run *run, int level, const char *text)
{
  struct iopress_codec_context *context;
  struct kept frame;

  fresh_frame (run, level, text, CHECK_SMALL, &frame);
  context = check_open (run, run->ops->level_default, text, CHECK_SMALL);
  check_set_level (run, context, level);
  expect_frame (run, context, CHECK_SMALL, &frame,
                "after .set_level than after .open, with parameters");
  check_close (run, context);
  check_release (&frame);
}

void
check_levels_set (struct check_run *run)
{
  struct iopress_codec_context *context;
  char text[CHECK_TEXT_BYTES];
  struct kept frame;
  unsigned int i;
  int level;

  if (run->ops->set_level == NULL)
    check_skip (run, "the codec has no .set_level");
  check_buffers_open (run, CHECK_SMALL);
  context = check_open (run, run->ops->level_default, "", CHECK_SMALL);
  check_input (run, CONTENT_PAGES, 4, CHECK_SMALL);
  for (i = 0; check_level (run->ops, i, &level); i++) {
    fresh_frame (run, level, "", CHECK_SMALL, &frame);
    check_set_level (run, context, level);
    /* A failure does not change it. */
    if (i % 2 == 1)
      check_compress (run, context, CHECK_SMALL, 10);
    expect_frame (run, context, CHECK_SMALL, &frame,
                  "after .set_level than after .open");
    check_release (&frame);
  }
  fresh_frame (run, run->ops->level_default, "", CHECK_SMALL, &frame);
  check_set_level (run, context, run->ops->level_default);
  expect_frame (run, context, CHECK_SMALL, &frame,
                "after .set_level than after .open");
  check_close (run, context);
  for (i = 0; check_text (run->ops, i, text); i++) {
    set_with_parameters (run, run->ops->level_min, text);
    set_with_parameters (run, run->ops->level_max, text);
  }
}
