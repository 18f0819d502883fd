/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loaded into a program by contrib/bench (LD_PRELOAD): appends a line with
 * the CPU time of every thread, when it ends, to the file that BENCH_THREADS
 * names.  A thread is named by the offset of its function in the program,
 * which nm can tell; the main thread by 0.
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef int (*create_function) (pthread_t *, const pthread_attr_t *,
                                void *(*) (void *), void *);

struct beginning {
  void *(*function) (void *);
  void *argument;
};

int pthread_create (pthread_t *thread, const pthread_attr_t *attributes,
                    void *(*function) (void *), void *argument);

static pid_t program;

static void
write_line (uintptr_t offset)
{
  const char *path = getenv ("BENCH_THREADS");
  struct timespec used;
  char line[80];
  int fd, length;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &used);
  fd = path == NULL ? -1 :
    open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd == -1)
    return;
  length = snprintf (line, sizeof line, "%lx %ld.%09ld\n",
                     (unsigned long) offset, (long) used.tv_sec,
                     used.tv_nsec);
  if (write (fd, line, (size_t) length) != length)
    perror (path);
  close (fd);
}

static uintptr_t
offset_of (uintptr_t address)
{
  Dl_info info;

  return dladdr ((void *) address, &info) == 0 ? 0 :
    address - (uintptr_t) info.dli_fbase;
}

static void *
thread_main (void *opaque)
{
  struct beginning beginning = *(struct beginning *) opaque;
  void *result;

  free (opaque);
  result = beginning.function (beginning.argument);
  write_line (offset_of ((uintptr_t) beginning.function));
  return result;
}

int
pthread_create (pthread_t *thread, const pthread_attr_t *attributes,
                void *(*function) (void *), void *argument)
{
  create_function create =
    (create_function) (uintptr_t) dlsym (RTLD_NEXT, "pthread_create");
  struct beginning *beginning = malloc (sizeof *beginning);

  if (beginning == NULL)
    return create (thread, attributes, function, argument);
  beginning->function = function;
  beginning->argument = argument;
  return create (thread, attributes, thread_main, beginning);
}

static void __attribute__ ((constructor))
remember_program (void)
{
  program = getpid ();
}

static void __attribute__ ((destructor))
main_thread_ends (void)
{
  if (getpid () == program)
    write_line (0);
}
