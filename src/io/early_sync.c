/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flushing a file to disk while it is still being written. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "io/aio.h"
#include "io/early_sync.h"
#include "io/file_private.h"
#include "util/bytes.h"
#include "util/clock.h"

/* There is at least so much to flush. */
#define STEP_BYTES (16u << 20)

#define NEVER UINT64_MAX

struct early_sync {
  struct file *file;
  struct aio *aio;
  struct aio_request request;
  bool under_way;
  uint64_t due;                /* bytes written before the next flush, or
                                * NEVER: there will be none */
  uint64_t began_ns;           /* on the monotonic clock */
  uint64_t rested_ns;          /* the disk has had a rest by then */
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
    if (aio_open (1, &sync->aio, err) < 0) {
      free (sync);
      return -1;
    }
    sync->file = file;
    sync->due = STEP_BYTES;
  }
  *sync_out = sync;
  return 0;
}

/* Take note of the end of the flush under way, waiting for it when WAIT is set.
 * Returns 0, or -1 with ERR when it failed.
 */
static int
reap (struct early_sync *sync, bool wait, struct error *err)
{
  uint64_t now;

  if (!sync->under_way || aio_wait (sync->aio, wait) == NULL)
    return 0;
  now = clock_nanoseconds (CLOCK_MONOTONIC);
  sync->under_way = false;
  if (sync->due == NEVER)
    aio_wind_down (sync->aio);
  /* Where flushing is slow, others want the disk, too. */
  sync->rested_ns = now + (now - sync->began_ns);
  errno = sync->request.errnum;
  return errno == 0 ? 0
    : file_fail (sync->file, err, "cannot be flushed to disk");
}

static void
start (struct early_sync *sync, uint64_t written)
{
  if (!aio_has_context (sync->aio)) {
    sync->due = NEVER;
    return;
  }
  sync->request = (struct aio_request) {
    .file = sync->file,
    .kind = AIO_SYNC,
  };
  sync->under_way = true;
  sync->due = written + STEP_BYTES;
  sync->began_ns = clock_nanoseconds (CLOCK_MONOTONIC);
  aio_submit (sync->aio, &sync->request);
  aio_flush (sync->aio);
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

void
early_sync_wind_down (struct early_sync *sync)
{
  if (sync == NULL)
    return;
  sync->due = NEVER;
  if (!sync->under_way)
    aio_wind_down (sync->aio);
}

int
early_sync_finish (struct early_sync *sync, struct error *err)
{
  return sync == NULL ? 0 : reap (sync, true, err);
}

void
early_sync_close (struct early_sync *sync)
{
  if (sync == NULL)
    return;
  aio_close (sync->aio);
  free (sync);
}
