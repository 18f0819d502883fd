/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Giving the source back while it is packed (the discard protocol). */

#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

#include "format/marker.h"
#include "pipeline/consume.h"
#include "util/thread.h"

/* Larger punches disturb reads less often; this bounds how long one takes. */
#define PUNCH_BYTES (16u << 20)

/* No file system has larger blocks. */
#define PUNCH_END_BYTES (1u << 20)

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
  uint8_t *marker_page;        /* PAGE_BYTES, page aligned */

  /* The writer's thread. */
  struct step steps[STEPS_MAX];        /* oldest first */
  unsigned int step_count;
  uint64_t gathered;           /* bytes of pages in all records appended */

  /* The consuming thread's, and the writer's while that has no step. */
  uint64_t punched;            /* source offset; everything before is gone */
  bool name_durable;

  /* Under the lock. */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  pthread_t thread;
  bool started;
  bool stop;
  bool begun;                  /* a marker was or may have been written */
  bool busy;                   /* the thread works on TARGET */
  struct step target;
  uint64_t given_back;         /* of the last step that is done: GATHERED */
  struct error error;          /* the thread's first */
};

/* Invariant 1: all that was written to the image is durable, and its name. */
static int
make_image_durable (struct consume *consume, struct error *err)
{
  const struct consume_options *options = &consume->options;

  if (file_sync (options->output, err) < 0)
    return -1;
  if (!consume->name_durable && options->output_path != NULL &&
      file_sync_folder (options->output_path, err) < 0)
    return -1;
  consume->name_durable = true;
  return 0;
}

/* Invariant 2: a marker that says X stands durably in the source. */
static int
write_marker (struct consume *consume, uint64_t x, struct error *err)
{
  const struct file_header *header = consume->options.header;
  struct file *source = consume->options.source;
  struct marker marker = {
    .consumed_bytes = x,
    .source_bytes = header->source_bytes,
  };

  memcpy (marker.image_id, header->image_id, IMAGE_ID_BYTES);
  marker_encode (&marker, consume->marker_page);
  pthread_mutex_lock (&consume->lock);
  consume->begun = true;
  pthread_mutex_unlock (&consume->lock);
  if (file_write_at (source, 0, consume->marker_page, PAGE_BYTES, err) < 0)
    return -1;
  return file_sync (source, err);
}

/* Punch the source up to X, but for the marker's page.  At its end only a whole
 * block is freed: go past it.
 */
static int
punch_to (struct consume *consume, uint64_t x, struct error *err)
{
  if (x == consume->options.header->source_bytes)
    x = align_up (x, PUNCH_END_BYTES);
  while (consume->punched < x) {
    uint64_t start = maximum_u64 (consume->punched, PAGE_BYTES);
    uint64_t end = minimum_u64 (start + PUNCH_BYTES, x);

    if (start < end &&
        file_punch (consume->options.source, start, end - start, err) < 0)
      return -1;
    consume->punched = maximum_u64 (end, start);
  }
  return 0;
}

/* Consume the source up to X; its records have been written. */
static int
consume_to (struct consume *consume, uint64_t x, struct error *err)
{
  if (make_image_durable (consume, err) < 0 ||
      write_marker (consume, x, err) < 0)
    return -1;
  return punch_to (consume, x, err);
}

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
    consume_to (consume, target.source_end, &error);
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

/* The marker takes the place of the first bytes of its page; the others are
 * written as they were, so that a write torn between two sectors leaves either
 * the page as it was or one with the marker.
 */
static int
read_marker_page (struct consume *consume, struct error *err)
{
  const struct file *source = consume->options.source;

  return file_read_at (source, 0, consume->marker_page,
                       (size_t) minimum_u64 (PAGE_BYTES, source->size), err);
}

/* Find out that blocks cannot be given back before anything is changed, with
 * a punch past the end of the file.
 */
static int
probe_punch (struct consume *consume, struct error *err)
{
  struct file *source = consume->options.source;

  if (file_punch (source, align_up (source->size, PUNCH_END_BYTES),
                  PAGE_BYTES, err) == 0)
    return 0;
  return error_hint (err, "its file system may not know how: save it without "
                     "--discard");
}

int
consume_open (const struct consume_options *options,
              struct consume **consume_out, struct error *err)
{
  struct consume *consume = calloc (1, sizeof *consume);
  void *page;
  int result;

  if (consume == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up discarding");
  consume->options = *options;
  consume->begun = options->begun;
  pthread_mutex_init (&consume->lock, NULL);
  pthread_cond_init (&consume->changed, NULL);
  result = posix_memalign (&page, PAGE_BYTES, PAGE_BYTES);
  if (result == 0) {
    consume->marker_page = memset (page, 0, PAGE_BYTES);
    if (probe_punch (consume, err) < 0 ||
        read_marker_page (consume, err) < 0) {
      consume_close (consume);
      return -1;
    }
    result = thread_start (&consume->thread, thread_main, consume);
    consume->started = result == 0;
  }
  if (result != 0) {
    consume_close (consume);
    return error_set (err, ERROR_FAILED, result, "cannot set up discarding");
  }
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
  free (consume->marker_page);
  free (consume);
}

bool
consume_has_begun (const struct consume *consume)
{
  return consume->begun;
}

/* The most bytes of pages to hold twice: a batch, less when the file system of
 * the image is nearly full.
 */
static uint64_t
limit_bytes (const struct consume *consume)
{
  uint64_t bytes = consume->options.batch_bytes;
  struct statvfs st;

  if (fstatvfs (consume->options.output->fd, &st) == 0)
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

int
consume_advance (struct consume *consume, struct writer *writer,
                 uint64_t source_end, uint64_t raw_bytes, struct error *err)
{
  uint64_t limit = limit_bytes (consume), held;

  consume->gathered += raw_bytes;
  /* Half a batch gathers while the half before it is synced and punched. */
  if (consume->gathered - last_step (consume) >= limit / 2)
    add_step (consume, writer, source_end);
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

int
consume_rest (struct consume *consume, struct error *err)
{
  const struct step rest = {
    .source_end = consume->options.header->source_bytes,
    .gathered = consume->gathered,
  };

  /* The kernel tells one flush of a lost write.  Whoever comes after this one
   * has nothing to lose; one at the same time could be the one that is told,
   * and the other would take the image for durable.
   */
  if (wait_for_step (consume, err) < 0 ||
      make_image_durable (consume, err) < 0)
    return -1;
  if (rest.source_end > PAGE_BYTES) {
    pthread_mutex_lock (&consume->lock);
    give (consume, rest);
    pthread_mutex_unlock (&consume->lock);
  }
  return 0;
}

int
consume_stop (struct consume *consume, struct error *err)
{
  stop_thread (consume);
  return thread_result (consume, err);
}

/* Invariant 3.  Whether the last punch is durable does not matter: a marker
 * that comes back says the truth.
 */
int
consume_finish (struct consume *consume, struct error *err)
{
  struct file *source = consume->options.source;
  uint64_t size = consume->options.header->source_bytes;

  if (size == 0)
    return 0;
  if (size > PAGE_BYTES && file_sync (source, err) < 0)
    return -1;
  return file_punch (source, 0, size > PAGE_BYTES ? PAGE_BYTES
                     : align_up (size, PUNCH_END_BYTES), err);
}
