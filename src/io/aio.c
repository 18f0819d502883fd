/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes with several requests in flight, through libaio. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/aio.h"
#include "util/bytes.h"
#include "util/thread.h"

#define EVENTS_MAX 64

/* Transfers in a row that stop within their first page before there is
 * nothing more to be had.
 */
#define STALLS_MAX 3u

/* First in, first out. */
STAILQ_HEAD (queue, aio_request);

struct aio {
  io_context_t context;        /* the kernel's, NULL: none yet, or no more */
  bool synchronous;
  unsigned int depth;
  unsigned int in_flight;
  struct queue waiting;        /* not yet given to the kernel */
  struct queue finished;       /* not yet given to the caller */
};

static struct aio_request *
queue_remove (struct queue *queue)
{
  struct aio_request *request = STAILQ_FIRST (queue);

  if (request != NULL)
    STAILQ_REMOVE_HEAD (queue, next);
  return request;
}

int
aio_open (unsigned int depth, struct aio **aio_out, struct error *err)
{
  struct aio *aio = calloc (1, sizeof *aio);

  if (aio == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up I/O");
  STAILQ_INIT (&aio->waiting);
  STAILQ_INIT (&aio->finished);
  aio->depth = depth;
  *aio_out = aio;
  return 0;
}

static void *
destroy_main (void *context)
{
  io_destroy (context);
  return NULL;
}

/* io_destroy takes some 30 ms even when nothing is in flight: let a thread wait
 * for it.  Returns whether there is one.
 */
static bool
destroy_aside (const struct aio *aio)
{
  return thread_start_detached (destroy_main, aio->context) == 0;
}

void
aio_close (struct aio *aio)
{
  if (aio == NULL)
    return;
  /* It waits for requests in flight. */
  if (aio->context != NULL && (aio->in_flight > 0 || !destroy_aside (aio)))
    io_destroy (aio->context);
  free (aio);
}

/* Whether the kernel takes requests. */
static bool
has_context (struct aio *aio)
{
  if (aio->context == NULL && !aio->synchronous)
    aio->synchronous = io_setup ((int) aio->depth, &aio->context) < 0;
  return !aio->synchronous;
}

void
aio_submit (struct aio *aio, struct aio_request *request)
{
  request->done = 0;
  request->stalls = 0;
  request->errnum = 0;
  STAILQ_INSERT_TAIL (&aio->waiting, request, next);
}

static void
finish (struct aio *aio, struct aio_request *request, int errnum)
{
  request->errnum = errnum;
  STAILQ_INSERT_TAIL (&aio->finished, request, next);
}

/* O_DIRECT was refused: go on through the page cache where that is allowed.
 * Another request of the same moment may have switched the file already.
 */
static bool
give_up_direct (struct aio_request *request)
{
  struct error ignored = { 0 };

  if (!request->direct || request->file->how.direct == DIRECT_IO_ON)
    return false;
  return !request->file->direct ||
    file_drop_direct (request->file, &ignored) == 0;
}

/* Why a request gets nowhere.  A limit of the file's size within a page lets
 * O_DIRECT write up to it, time and again, and never says so.
 */
static int
why_stalled (const struct aio_request *request)
{
  struct rlimit limit;

  if (!request->write)
    return ENODATA;
  return getrlimit (RLIMIT_FSIZE, &limit) == 0 &&
    request->offset + request->length > limit.rlim_cur ? EFBIG : ENOSPC;
}

/* Take in the result of one transfer: bytes, or a negative errno.  The
 * request is finished, or goes to the end of the line for the rest.
 */
static void
take_result (struct aio *aio, struct aio_request *request, long result)
{
  size_t done, again;

  if (result == -EINTR || result == -EAGAIN ||
      (result == -EINVAL && give_up_direct (request))) {
    STAILQ_INSERT_TAIL (&aio->waiting, request, next);
    return;
  }
  if (result < 0) {
    finish (aio, request, (int) -result);
    return;
  }
  done = request->done + minimum_u64 ((uint64_t) result,
                                      request->length - request->done);
  /* What is missing is asked for again, with O_DIRECT from a page boundary. */
  again = request->direct ? align_down (done, PAGE_BYTES) : done;
  if (done >= request->needed) {
    request->done = done;
    finish (aio, request, 0);
  }
  else if (again == request->done &&
           (result == 0 || request->stalls++ == STALLS_MAX))
    finish (aio, request, why_stalled (request));
  else {
    request->done = again;
    STAILQ_INSERT_TAIL (&aio->waiting, request, next);
  }
}

static void
prepare (struct aio_request *request)
{
  uint8_t *buffer = (uint8_t *) request->buffer + request->done;
  size_t length = request->length - request->done;
  long long offset = (long long) (request->offset + request->done);

  request->direct = request->file->direct;
  if (request->write)
    io_prep_pwrite (&request->iocb, request->file->fd, buffer, length, offset);
  else
    io_prep_pread (&request->iocb, request->file->fd, buffer, length,
                   offset);
}

static void
transfer_now (struct aio *aio, struct aio_request *request)
{
  uint8_t *buffer = (uint8_t *) request->buffer + request->done;
  size_t length = request->length - request->done;
  off_t offset = (off_t) (request->offset + request->done);
  ssize_t result;

  request->direct = request->file->direct;
  if (request->write)
    result = pwrite (request->file->fd, buffer, length, offset);
  else
    result = pread (request->file->fd, buffer, length, offset);
  take_result (aio, request, result < 0 ? -errno : result);
}

/* Give the kernel as many waiting requests as one call takes.  Returns how
 * many, or a negative errno.
 */
static int
submit_batch (struct aio *aio)
{
  struct iocb *batch[EVENTS_MAX];
  struct aio_request *request = STAILQ_FIRST (&aio->waiting);
  int count = 0;

  while (request != NULL && count < EVENTS_MAX &&
         aio->in_flight + (unsigned int) count < aio->depth) {
    prepare (request);
    batch[count++] = &request->iocb;
    request = STAILQ_NEXT (request, next);
  }
  return count == 0 ? 0 : io_submit (aio->context, count, batch);
}

void
aio_flush (struct aio *aio)
{
  while (!STAILQ_EMPTY (&aio->waiting)) {
    int count;

    if (!has_context (aio)) {
      transfer_now (aio, queue_remove (&aio->waiting));
      continue;
    }
    count = submit_batch (aio);
    if (count == 0 || (count == -EAGAIN && aio->in_flight > 0))
      return;
    if (count == -EINTR)
      continue;
    /* The kernel has no room although nothing is in flight, or it refuses
     * the first request: a plain call gives that one its true result.
     */
    if (count < 0) {
      transfer_now (aio, queue_remove (&aio->waiting));
      continue;
    }
    aio->in_flight += (unsigned int) count;
    while (count-- > 0)
      queue_remove (&aio->waiting);
  }
}

static void
reap (struct aio *aio, bool wait)
{
  /* With no time to wait libaio looks without a system call first. */
  struct timespec none = { 0 };
  struct io_event events[EVENTS_MAX];
  int i, count;

  do
    count = io_getevents (aio->context, wait ? 1 : 0, EVENTS_MAX, events,
                          wait ? NULL : &none);
  while (count == -EINTR && wait);
  for (i = 0; i < count; i++) {
    struct aio_request *request =
      (void *) ((char *) events[i].obj - offsetof (struct aio_request, iocb));

    aio->in_flight--;
    take_result (aio, request, (long) events[i].res);
  }
}

struct aio_request *
aio_wait (struct aio *aio, bool wait)
{
  aio_flush (aio);
  if (STAILQ_EMPTY (&aio->finished) && aio->in_flight > 0)
    reap (aio, false);
  while (wait && STAILQ_EMPTY (&aio->finished) &&
         (aio->in_flight > 0 || !STAILQ_EMPTY (&aio->waiting))) {
    aio_flush (aio);
    if (STAILQ_EMPTY (&aio->finished) && aio->in_flight > 0)
      reap (aio, true);
  }
  return queue_remove (&aio->finished);
}

void
aio_wind_down (struct aio *aio)
{
  while (aio->in_flight > 0) {
    reap (aio, true);
    aio_flush (aio);
  }
  if (aio->context == NULL || destroy_aside (aio)) {
    aio->context = NULL;
    aio->synchronous = true;
  }
}
