/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes with several requests in flight, through libaio. */

#ifndef IOPRESS_IO_AIO_H
#define IOPRESS_IO_AIO_H

#include <libaio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "io/file.h"

/* One read or write.  The caller owns it and its buffer, and leaves both
 * alone from aio_submit until aio_wait hands the request back.
 */
struct aio_request {
  /* Set by the caller. */
  struct file *file;
  bool write;
  void *buffer;
  size_t length;               /* bytes to transfer */
  size_t needed;               /* fewer bytes than this are an error; reads
                                * across the end of a file need less than
                                * they ask for */
  uint64_t offset;             /* file offset */
  void *owner;                 /* not touched here */

  /* Set when it comes back. */
  size_t done;                 /* bytes transferred */
  int errnum;                  /* 0, or why fewer than NEEDED came */

  /* Private. */
  bool direct;                 /* was started with O_DIRECT on */
  unsigned int stalls;         /* transfers that got nowhere */
  struct iocb iocb;
  STAILQ_ENTRY (aio_request) next;
};

/* A context of one thread. */
struct aio;

/* Make a context for up to DEPTH requests in flight.  The kernel's side of it
 * comes with the first request; where the kernel gives none (none left, or
 * forbidden) the same calls work synchronously.  Returns 0, or -1 with ERR when
 * out of memory.
 */
int aio_open (unsigned int depth, struct aio **aio, struct error *err);

/* Wait for what is in flight, then free; NULL is ignored.  The kernel's side of
 * a context goes a little later.
 */
void aio_close (struct aio *aio);

/* Few requests are still to come: wait for those in flight, which stay to be
 * handed back, and do the rest synchronously.  The kernel takes some 30 ms to
 * end its side of a context, and a process cannot end before: so that begins
 * now, beside what else there is to do.
 */
void aio_wind_down (struct aio *aio);

/* Queue a request.  It starts at the latest at the next aio_flush or
 * aio_wait; more than DEPTH requests wait in line.
 */
void aio_submit (struct aio *aio, struct aio_request *request);

/* Start what is queued, as far as DEPTH allows.  Never waits for a device,
 * unless the file is read and written through the page cache.
 */
void aio_flush (struct aio *aio);

/* The next finished request, in any order; its errnum says how it went.
 * Short transfers have been continued and EINTR retried; a file that refuses
 * O_DIRECT has been switched to the page cache if --direct-io allows that.
 * With WAIT false returns NULL when none has finished; with WAIT true NULL
 * only when nothing is queued or in flight.
 */
struct aio_request *aio_wait (struct aio *aio, bool wait);

#endif /* IOPRESS_IO_AIO_H */
