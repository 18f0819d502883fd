/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting threads. */

#ifndef IOPRESS_UTIL_THREAD_H
#define IOPRESS_UTIL_THREAD_H

#include <pthread.h>

/* Start FUNCTION with OPAQUE in a thread that leaves all signals to the others:
 * they are for the one that can end the program in good order.  Any thread.
 * Returns 0, and the caller joins *THREAD, or a positive errno.
 */
int thread_start (pthread_t *thread, void *(*function) (void *),
                  void *opaque);

/* The same, for a thread that nobody waits for. */
int thread_start_detached (void *(*function) (void *), void *opaque);

/* The calling thread, and those that it starts, get what processor and disk
 * time nobody else wants.  They must hold no lock that others wait for.
 */
void thread_give_way (void);

#endif /* IOPRESS_UTIL_THREAD_H */
