/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flushing a file to disk while it is still being written. */

#ifndef IOPRESS_IO_EARLY_SYNC_H
#define IOPRESS_IO_EARLY_SYNC_H

#include <stdint.h>

#include "io/file.h"

/* An O_DIRECT write ends when the cache of the disk has it, or that of the host
 * whose file the disk is.  Left to the file_sync at the end, all of it would
 * wait for the medium then, with nothing else to do.  So flush in the moments
 * in which the disk has nothing to write, in a thread of its own.  All calls
 * come from one other thread.
 */
struct early_sync;

/* Set it up for FILE, which stays the caller's and must outlive it.  *SYNC is
 * NULL for a stream.  Returns 0, or -1 with ERR when out of memory.
 */
int early_sync_open (struct file *file, struct early_sync **sync,
                     struct error *err);

/* Nothing is being written to the file; WRITTEN bytes have been since it was
 * set up, anywhere in it.  Flushes when those are enough; NULL is ignored.
 * Never waits: there are no early flushes where no thread can be started.
 * Returns 0, or -1 with ERR when an earlier flush failed.
 */
int early_sync_idle (struct early_sync *sync, uint64_t written,
                     struct error *err);

/* Wait for the flush under way.  The kernel tells of a lost write only once: so
 * call this before the file_sync that is to say whether everything is durable,
 * which it is not when this fails.  NULL is ignored.  Returns 0, or -1 with
 * ERR.
 */
int early_sync_finish (struct early_sync *sync, struct error *err);

/* Wait for the flush under way, whatever comes of it, and free; NULL is
 * ignored.
 */
void early_sync_close (struct early_sync *sync);

#endif /* IOPRESS_IO_EARLY_SYNC_H */
