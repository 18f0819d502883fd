/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Giving the source back while it is packed: when, and in which thread. */

#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "safety/consume.h"
#include "util/bytes.h"
#include "util/thread.h"

/* Steps that have been appended and wait for the disk or the thread. */
#define STEPS_MAX 8u

/* Once the image is durable up to IMAGE_END, the source may go up to
 * SOURCE_END; then GATHERED bytes of pages in all have been given back.
 */
struct step {
  uint64_t image_end;
  uint64_t source_end;
  uint64_t gathered;
};

struct consume {
  struct consume_options options;
  /* The consuming thread's, and the writer's while that has no step. */
  struct discard *discard;

  /* The writer's thread. */
  struct step steps[STEPS_MAX];        /* oldest first */
  unsigned int step_count;
  uint64_t gathered;           /* bytes of pages in all records appended */

  /* Under the lock. */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  pthread_t thread;
  bool started;
  bool stop;
  bool busy;                   /* the thread works on TARGET */
  struct step target;
  uint64_t given_back;         /* of the last step that is done: GATHERED */
  struct error error;          /* the thread's first */
};

static void *
thread_main (void *opaque)
{
  struct consume *consume = opaque;

  pthread_mutex_lock (&consume->lock);
  while (consume->busy || !consume->stop) {
    struct error error = { 0 };
    struct step target = consume->target;

    if (!consume->busy) {
      pthread_cond_wait (&consume->changed, &consume->lock);
      continue;
    }
    pthread_mutex_unlock (&consume->lock);
    discard_up_to (consume->discard, target.source_end, &error);
    pthread_mutex_lock (&consume->lock);
    consume->busy = false;
    consume->given_back = target.gathered;
    if (error.kind != ERROR_NONE && consume->error.kind == ERROR_NONE)
      consume->error = error;
    pthread_cond_broadcast (&consume->changed);
  }
  pthread_mutex_unlock (&consume->lock);
  return NULL;
}

int
consume_open (const struct consume_options *options,
              struct consume **consume_out, struct error *err)
{
  struct consume *consume = calloc (1, sizeof *consume);
  int result;

  if (consume == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up discarding");
  consume->options = *options;
  pthread_mutex_init (&consume->lock, NULL);
  pthread_cond_init (&consume->changed, NULL);
  if (discard_open (&options->discard, &consume->discard, err) < 0) {
    consume_close (consume);
    return -1;
  }
  result = thread_start (&consume->thread, thread_main, consume);
  if (result != 0) {
    consume_close (consume);
    return error_set (err, ERROR_FAILED, result, "cannot set up discarding");
  }
  consume->started = true;
  *consume_out = consume;
  return 0;
}

static void
stop_thread (struct consume *consume)
{
  pthread_mutex_lock (&consume->lock);
  consume->stop = true;
  pthread_cond_broadcast (&consume->changed);
  pthread_mutex_unlock (&consume->lock);
  if (consume->started)
    pthread_join (consume->thread, NULL);
  consume->started = false;
}

void
consume_close (struct consume *consume)
{
  if (consume == NULL)
    return;
  stop_thread (consume);
  pthread_cond_destroy (&consume->changed);
  pthread_mutex_destroy (&consume->lock);
  discard_close (consume->discard);
  free (consume);
}

/* The most bytes of pages to hold twice: a batch, less when the file system of
 * the image is nearly full.
 */
static uint64_t
limit_bytes (const struct consume *consume)
{
  uint64_t bytes = consume->options.batch_bytes;
  struct statvfs st;

  if (fstatvfs (consume->options.discard.output->fd, &st) == 0)
    bytes = minimum_u64 (bytes, st.f_bavail * st.f_frsize / 2);
  return bytes;
}

/* Under the lock: let the thread, which has nothing to do, take STEP. */
static void
give (struct consume *consume, struct step step)
{
  consume->target = step;
  consume->busy = true;
  pthread_cond_broadcast (&consume->changed);
}

/* Under the lock, or when the thread has ended: 0, or -1 with its error. */
static int
thread_result (const struct consume *consume, struct error *err)
{
  if (consume->error.kind == ERROR_NONE)
    return 0;
  *err = consume->error;
  return -1;
}

/* Under the lock: give the thread, when it has nothing to do, the newest step
 * whose records have all been written.
 */
static void
hand_over (struct consume *consume, uint64_t completed)
{
  unsigned int ready = 0;

  while (ready < consume->step_count &&
         consume->steps[ready].image_end <= completed)
    ready++;
  if (ready == 0 || consume->busy || consume->error.kind != ERROR_NONE)
    return;
  give (consume, consume->steps[ready - 1]);
  consume->step_count -= ready;
  memmove (consume->steps, consume->steps + ready,
           consume->step_count * sizeof consume->steps[0]);
}

/* Remember that the source may go up to SOURCE_END once the image is durable
 * as far as it has been appended.
 */
static void
add_step (struct consume *consume, const struct writer *writer,
          uint64_t source_end)
{
  /* No room: one longer step instead of the last two. */
  if (consume->step_count == STEPS_MAX)
    consume->step_count--;
  consume->steps[consume->step_count++] = (struct step) {
    .image_end = writer_offset (writer),
    .source_end = source_end,
    .gathered = consume->gathered,
  };
}

static uint64_t
last_step (const struct consume *consume)
{
  return consume->step_count > 0
    ? consume->steps[consume->step_count - 1].gathered
    : consume->target.gathered;
}

/* Wait until no more than LIMIT is held twice, or nothing more can be given
 * back before more is appended.  Returns 0, or -1 with the thread's error.
 */
static int
wait_for_thread (struct consume *consume, uint64_t completed, uint64_t limit,
                 struct error *err)
{
  int result;

  pthread_mutex_lock (&consume->lock);
  hand_over (consume, completed);
  while (consume->busy &&
         consume->gathered - consume->given_back > limit) {
    pthread_cond_wait (&consume->changed, &consume->lock);
    hand_over (consume, completed);
  }
  result = thread_result (consume, err);
  pthread_mutex_unlock (&consume->lock);
  return result;
}

/* An image whose name is gone goes with this process.  Asked in the writer's
 * thread, before the name can become another.
 */
static int
check_name (const struct consume *consume, struct error *err)
{
  const struct discard_options *options = &consume->options.discard;

  return options->draft == NULL ? 0
    : draft_check_name (options->draft, err);
}

static int
appended (void *opaque, struct writer *writer, uint64_t source_end,
          uint64_t raw_bytes, struct error *err)
{
  struct consume *consume = opaque;
  uint64_t limit = limit_bytes (consume), held;

  consume->gathered += raw_bytes;
  /* Half a batch gathers while the half before it is synced and punched. */
  if (consume->gathered - last_step (consume) >= limit / 2) {
    if (check_name (consume, err) < 0)
      return -1;
    add_step (consume, writer, source_end);
  }
  if (writer_poll (writer, err) < 0)
    return -1;
  pthread_mutex_lock (&consume->lock);
  held = consume->gathered - consume->given_back;
  pthread_mutex_unlock (&consume->lock);
  if (held > limit && writer_push (writer, err) < 0)
    return -1;
  return wait_for_thread (consume, writer_completed (writer), limit, err);
}

/* Let the thread end the step that it has.  Returns 0, or -1 with its error. */
static int
wait_for_step (struct consume *consume, struct error *err)
{
  int result;

  pthread_mutex_lock (&consume->lock);
  while (consume->busy)
    pthread_cond_wait (&consume->changed, &consume->lock);
  result = thread_result (consume, err);
  pthread_mutex_unlock (&consume->lock);
  return result;
}

/* Make durable what has been written of the image, and its name. */
static int
sync_image (void *opaque, struct error *err)
{
  struct consume *consume = opaque;

  /* The kernel tells one flush of a lost write.  Whoever comes after this one
   * has nothing to lose; one at the same time could be the one that is told,
   * and the other would take the image for durable.
   */
  if (wait_for_step (consume, err) < 0 || check_name (consume, err) < 0)
    return -1;
  return discard_sync_image (consume->discard, err);
}

struct image_follower
consume_follower (struct consume *consume)
{
  return (struct image_follower) {
    .opaque = consume,
    .appended = appended,
    .sync = sync_image,
  };
}

/* Let the thread give back all but the marker's page of a durable image's
 * source.
 */
static int
give_rest (struct consume *consume, struct error *err)
{
  const struct step rest = {
    .source_end = consume->options.discard.header->source_bytes,
    .gathered = consume->gathered,
  };

  /* Find out before the image gets its name.  What has only the marker's page
   * goes after that.
   */
  if (discard_check_source (consume->discard, err) < 0)
    return -1;
  if (rest.source_end <= PAGE_BYTES)
    return 0;
  pthread_mutex_lock (&consume->lock);
  give (consume, rest);
  pthread_mutex_unlock (&consume->lock);
  return 0;
}

int
consume_stop (struct consume *consume, struct error *err)
{
  stop_thread (consume);
  return thread_result (consume, err);
}

int
consume_finish (struct consume *consume,
                int (*publish) (void *opaque, struct error *err),
                void *opaque, struct error *err)
{
  if (sync_image (consume, err) < 0 || give_rest (consume, err) < 0 ||
      publish (opaque, err) < 0 || consume_stop (consume, err) < 0)
    return -1;
  return discard_finish (consume->discard, err);
}
