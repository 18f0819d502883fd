/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a conformance check ends, in its child. */

#include <config.h>

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_private.h"

/* Of threads that fail at once, the first is told. */
static pthread_mutex_t ending = PTHREAD_MUTEX_INITIALIZER;

static void __attribute__ ((format (printf, 2, 0)))
write_text (struct check_run *run, const char *format, va_list arguments)
{
  vsnprintf (run->note->text, sizeof run->note->text, format, arguments);
}

void
check_fail (struct check_run *run, const char *format, ...)
{
  va_list arguments;

  pthread_mutex_lock (&ending);
  va_start (arguments, format);
  write_text (run, format, arguments);
  va_end (arguments);
  _exit (CHECK_EXIT_FAILS);
}

void
check_skip (struct check_run *run, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  write_text (run, format, arguments);
  va_end (arguments);
  _exit (CHECK_EXIT_SKIPPED);
}

void
check_measured (struct check_run *run, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  write_text (run, format, arguments);
  va_end (arguments);
}

void
check_apart (struct check_run *run,
             void (*work) (struct check_run *run, void *opaque), void *opaque)
{
  int status = 0;
  pid_t child;

  fflush (NULL);
  child = fork ();
  if (child == 0) {
    work (run, opaque);
    _exit (0);
  }
  if (child < 0 || waitpid (child, &status, 0) != child)
    check_fail (run, "a process cannot be made");
  if (WIFSIGNALED (status))
    raise (WTERMSIG (status));
  if (status != 0)
    _exit (WEXITSTATUS (status));
}
