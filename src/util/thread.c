/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting threads. */

#include <config.h>

#include <linux/ioprio.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/thread.h"

/* What is nicer than any other. */
#define NICE_MOST 19

static int
start (pthread_t *thread, const pthread_attr_t *attributes,
       void *(*function) (void *), void *opaque)
{
  sigset_t all, before;
  int result;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  result = pthread_create (thread, attributes, function, opaque);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  return result;
}

int
thread_start (pthread_t *thread, void *(*function) (void *), void *opaque)
{
  return start (thread, NULL, function, opaque);
}

int
thread_start_detached (void *(*function) (void *), void *opaque)
{
  pthread_attr_t attributes;
  pthread_t thread;
  int result = pthread_attr_init (&attributes);

  if (result != 0)
    return result;
  pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
  result = start (&thread, &attributes, function, opaque);
  pthread_attr_destroy (&attributes);
  return result;
}

void
thread_give_way (void)
{
  /* What cannot be had is done without.  Not SCHED_IDLE: the kernel's own locks
   * would wait for it, too.
   */
  setpriority (PRIO_PROCESS, (id_t) gettid (), NICE_MOST);
  syscall (SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
           IOPRIO_PRIO_VALUE (IOPRIO_CLASS_IDLE, 0));
}
