/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting threads. */

#include <config.h>

#include <signal.h>

#include "util/thread.h"

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
