/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Giving the source back while it is packed: when, and in which thread; what is
 * done then, and what holds at every instant, see discard.h.
 */

#ifndef IOPRESS_SAFETY_CONSUME_H
#define IOPRESS_SAFETY_CONSUME_H

#include "pipeline/image_sink.h"
#include "safety/discard.h"

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

/* What the sink of the image has to follow it.  Its thread, the writer's, may
 * have to wait for this one and the disk, so that no more than a batch is held
 * twice; its errors may be this one's.  Nobody else may flush the output while
 * there is a thread, before consume_finish.
 */
struct image_follower consume_follower (struct consume *consume);

/* From the writer's thread: the whole image has been written, index and footer
 * too.  In this order: it is made durable; PUBLISH gives it its name and makes
 * that durable, too, and returns 0, or -1 with ERR, while the thread gives back
 * all the rest of the source; and only then the page of the marker goes.
 * Returns 0, or -1 with ERR, which may be the thread's or that of PUBLISH.
 */
int consume_finish (struct consume *consume,
                    int (*publish) (void *opaque, struct error *err),
                    void *opaque, struct error *err);

/* From the writer's thread, after a failure: wait until the thread has done
 * what it has and end it; it touches source and output no more, and what it
 * knows to be left of the source is final.  Returns 0, or -1 with its error.
 */
int consume_stop (struct consume *consume, struct error *err);

#endif /* IOPRESS_SAFETY_CONSUME_H */
