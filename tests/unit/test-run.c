/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit test of src/pipeline/run.c: intakes and sinks of all kinds. */

#include <config.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/assert_error.h"
#include "pipeline/run.h"
#include "util/bytes.h"

#define ITEMS 300u
#define KEPT_MAX 64u

/* An intake of items, a job, and a sink that answers in turn as told. */
struct play {
  /* The intake. */
  uint64_t next;
  struct slot *started[4];
  unsigned int started_count;
  uint64_t unread;             /* this item comes with an error */

  /* The job. */
  bool salvages;

  /* The sink. */
  int answers[3];              /* for items in turn */
  uint64_t failing;            /* begin fails for this item */
  uint64_t refused;            /* the check fails before this item */
  uint64_t failing_later;      /* a kept item that comes back with an error */
  struct slot *kept[KEPT_MAX];
  unsigned int kept_count;
  uint64_t expected;           /* the next window */
  atomic_uint delivered;
  unsigned int done, polled, completed, closed;

  /* What was told. */
  uint64_t told, lost_window;
  unsigned int lost;
};

static struct play
new_play (int first, int second, int third)
{
  return (struct play) {
    .answers = { first, second, third },
    .unread = UINT64_MAX,
    .failing = UINT64_MAX,
    .refused = UINT64_MAX,
    .failing_later = UINT64_MAX,
  };
}

static int
intake_begin (void *opaque, struct slot *slot, struct error *err)
{
  struct play *play = opaque;

  (void) err;
  if (play->next == ITEMS)
    return 0;
  slot->window.number = play->next++;
  play->started[play->started_count++] = slot;
  return 1;
}

static struct slot *
intake_finish (void *opaque)
{
  struct play *play = opaque;
  struct slot *slot = play->started[0];

  memmove (play->started, play->started + 1,
           --play->started_count * sizeof play->started[0]);
  if (slot->window.number == play->unread)
    error_set (&slot->error, ERROR_FAILED, EIO, "not read");
  return slot;
}

static int
open_context (void *opaque, void **worker, struct error *err)
{
  (void) err;
  *worker = opaque;
  return 0;
}

static void
close_context (void *worker)
{
  (void) worker;
}

static void
work (void *worker, struct slot *slot)
{
  const struct play *play = worker;

  if (slot->error.kind == ERROR_NONE || !play->salvages)
    return;
  slot->error = (struct error) { 0 };
  slot->lost = true;
}

static int
sink_begin (void *opaque, struct slot *slot, struct error *err)
{
  struct play *play = opaque;
  int answer = play->answers[slot->window.number % 3];

  assert_int_equal (slot->window.number, play->expected++);
  if (slot->window.number == play->failing)
    return error_set (err, ERROR_FAILED, ENOSPC, "full");
  if (answer == SINK_KEEP) {
    assert_true (play->kept_count < KEPT_MAX);
    play->kept[play->kept_count++] = slot;
  }
  else if (answer == SINK_DONE)
    play->done++;
  return answer;
}

static bool
sink_deliver (void *opaque, struct slot *slot)
{
  struct play *play = opaque;

  assert_int_equal (play->answers[slot->window.number % 3], SINK_DELIVER);
  return atomic_fetch_add (&play->delivered, 1) % 2 == 0;
}

static int
sink_poll (void *opaque, struct error *err)
{
  struct play *play = opaque;

  (void) err;
  play->polled++;
  return 0;
}

/* Only when it has to, and the last one first. */
static void
sink_finish (void *opaque, bool wait, struct slot **slot)
{
  struct play *play = opaque;

  assert_true (play->kept_count > 0);
  *slot = wait || play->kept_count > 3 ? play->kept[--play->kept_count] : NULL;
  if (*slot != NULL && (*slot)->window.number == play->failing_later)
    error_set (&(*slot)->error, ERROR_FAILED, EIO, "not written");
}

static int
complete (void *opaque, struct error *err)
{
  struct play *play = opaque;

  (void) err;
  play->completed++;
  return 0;
}

static void
close_sink (void *opaque)
{
  struct play *play = opaque;

  play->closed++;
}

static void
progress (void *opaque, uint64_t window)
{
  struct play *play = opaque;

  assert_int_equal (window, play->told++);
}

static int
check (void *opaque, struct error *err)
{
  struct play *play = opaque;

  return play->expected != play->refused ? 0
    : error_set (err, ERROR_FAILED, 0, "no use");
}

static void
lost (void *opaque, uint64_t window)
{
  struct play *play = opaque;

  assert_int_equal (window, play->told);
  play->lost_window = window;
  play->lost++;
}

static bool
answers (const struct play *play, int answer)
{
  return play->answers[0] == answer || play->answers[1] == answer ||
    play->answers[2] == answer;
}

static int
run_play (struct play *play, unsigned int threads, struct error *err)
{
  const struct intake intake = {
    .opaque = play,
    .begin = intake_begin,
    .finish = intake_finish,
    .depth = 3,
  };
  const struct job job = {
    .opaque = play,
    .raw_bytes = PAGE_BYTES,
    .packed_bytes = PAGE_BYTES,
    .open = open_context,
    .close = close_context,
    .work = work,
  };
  /* What a sink never answers it need not have. */
  const struct sink sink = {
    .opaque = play,
    .begin = sink_begin,
    .deliver = answers (play, SINK_DELIVER) ? sink_deliver : NULL,
    .poll = sink_poll,
    .finish = answers (play, SINK_KEEP) ? sink_finish : NULL,
    .complete = complete,
    .close = close_sink,
  };
  const struct run_options options = {
    .threads = threads,
    .progress = progress,
    .progress_opaque = play,
    .lost = lost,
    .lost_opaque = play,
    .check = check,
    .check_opaque = play,
  };
  int result = pipeline_run (&intake, &job, &sink, &options, err);

  assert_int_equal (play->completed + play->closed, 0);
  assert_int_equal (play->kept_count, 0);
  assert_int_equal (play->started_count, 0);
  if (result == 0)
    result = sink_complete (&sink, err);
  sink_close (&sink);
  assert_int_equal (play->closed, 1);
  return result;
}

static void
check_answers (int first, int second, int third, unsigned int threads)
{
  struct play play = new_play (first, second, third);
  struct error err = { 0 };
  unsigned int i, done = 0, delivered = 0;

  for (i = 0; i < 3; i++) {
    done += play.answers[i] == SINK_DONE ? ITEMS / 3 : 0;
    delivered += play.answers[i] == SINK_DELIVER ? ITEMS / 3 : 0;
  }
  assert_int_equal (run_play (&play, threads, &err), 0);
  assert_int_equal (play.expected, ITEMS);
  assert_int_equal (play.told, ITEMS);
  assert_int_equal (play.done, done);
  assert_int_equal (play.delivered, delivered);
  assert_int_equal (play.completed, 1);
  assert_true (play.polled > 0);
  assert_int_equal (play.lost, 0);
}

static void
test_answers (void **state)
{
  static const int all[] = { SINK_DONE, SINK_DELIVER, SINK_KEEP };
  unsigned int i, threads;

  (void) state;
  for (threads = 0; threads < 4; threads += 3) {
    for (i = 0; i < 3; i++)
      check_answers (all[i], all[i], all[i], threads);
    check_answers (SINK_KEEP, SINK_DELIVER, SINK_DONE, threads);
    check_answers (SINK_DONE, SINK_KEEP, SINK_KEEP, threads);
  }
}

static void
check_failure (struct play play, unsigned int threads, const char *text)
{
  struct error err = { 0 };

  assert_int_equal (run_play (&play, threads, &err), -1);
  assert_error (&err, ERROR_FAILED, text);
  assert_int_equal (play.completed, 0);
  assert_true (play.expected < ITEMS);
}

static void
test_failures (void **state)
{
  unsigned int threads;

  (void) state;
  for (threads = 0; threads < 4; threads += 3) {
    struct play play = new_play (SINK_KEEP, SINK_DELIVER, SINK_DONE);

    play.failing = 100;
    check_failure (play, threads, "full");
    play.failing = UINT64_MAX;
    play.failing_later = 99;
    check_failure (play, threads, "not written");
    play.failing_later = UINT64_MAX;
    play.unread = 100;
    check_failure (play, threads, "not read");
    play.unread = UINT64_MAX;
    play.refused = 101;
    check_failure (play, threads, "no use");
  }
}

/* What cannot be read is no error to a job that can do without. */
static void
test_salvage (void **state)
{
  unsigned int threads;

  (void) state;
  for (threads = 0; threads < 4; threads += 3) {
    struct play play = new_play (SINK_KEEP, SINK_DELIVER, SINK_DONE);
    struct error err = { 0 };

    play.unread = 100;
    play.salvages = true;
    assert_int_equal (run_play (&play, threads, &err), 0);
    assert_int_equal (play.lost, 1);
    assert_int_equal (play.lost_window, 100);
    assert_int_equal (play.told, ITEMS);
  }
}

static void
test_closed (void **state)
{
  const struct sink sink = SINK_CLOSED;
  struct error err = { 0 };

  (void) state;
  assert_int_equal (sink_complete (&sink, &err), 0);
  sink_close (&sink);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_answers),
    cmocka_unit_test (test_failures),
    cmocka_unit_test (test_salvage),
    cmocka_unit_test (test_closed),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
