/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Giving the source back while it is packed: when, and in which thread; what is
 * done then, and what holds at every instant, see discard.h.
 */

#ifndef IOPRESS_PIPELINE_CONSUME_H
#define IOPRESS_PIPELINE_CONSUME_H

#include "io/writer.h"
#include "pipeline/discard.h"

struct consume;

struct consume_options {
  struct discard_options discard;
  uint64_t batch_bytes;        /* most bytes of pages to hold twice */
};

/* Start the thread that syncs and punches.  Everything stays the caller's.
 * Returns 0, or -1 with ERR.
 */
int consume_open (const struct consume_options *options,
                  struct consume **consume, struct error *err);

/* Stop the thread; NULL is ignored. */
void consume_close (struct consume *consume);

/* From the writer's thread: a record with RAW_BYTES of pages has been appended
 * to WRITER, and with it all windows before source offset SOURCE_END.  May wait
 * for the thread and the disk, so that no more than a batch is held twice.
 * Returns 0, or -1 with ERR, which may be the thread's.
 */
int consume_advance (struct consume *consume, struct writer *writer,
                     uint64_t source_end, uint64_t raw_bytes,
                     struct error *err);

/* From the writer's thread: the whole image has been written, index and footer
 * too; make it durable, and let the thread give back all the rest of the source.
 * Does not wait for that, so that the image can get its name meanwhile.  Before,
 * nobody else may flush the output while there is a thread.  Returns 0, or -1
 * with ERR, which may be the thread's.
 */
int consume_rest (struct consume *consume, struct error *err);

/* From the writer's thread: wait until the thread has done what it has and
 * end it; it touches source and output no more.  Returns 0, or -1 with its
 * error.
 */
int consume_stop (struct consume *consume, struct error *err);

/* After consume_rest and consume_stop, when the image has its name: give back
 * the page of the marker, too.  Returns 0, or -1 with ERR.
 */
int consume_finish (struct consume *consume, struct error *err);

/* After consume_stop: whether any of the source is, or may be, gone. */
bool consume_has_begun (const struct consume *consume);

#endif /* IOPRESS_PIPELINE_CONSUME_H */
