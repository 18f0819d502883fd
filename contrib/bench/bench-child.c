/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs one command for contrib/bench, flushes what it wrote, and says what
 * both took: bench-child RESULT OUTPUT|- PROGRAM [ARGUMENT...]
 *
 * A program of its own because a child's peak memory begins with that of the
 * process that started it, and an interpreter is larger than what is measured.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench-clock.h"

static double
seconds_of (struct timeval time)
{
  return (double) time.tv_sec + (double) time.tv_usec / 1e6;
}

/* Returns the wait status, or -1. */
static int
run (char **command, struct rusage *usage)
{
  pid_t child = fork ();
  int status;

  if (child == -1)
    return -1;
  if (child == 0) {
    execvp (command[0], command);
    perror (command[0]);
    _exit (127);
  }
  if (wait4 (child, &status, 0, usage) == -1)
    return -1;
  return status;
}

static int
flush (const char *path)
{
  int fd, result;

  if (strcmp (path, "-") == 0)
    return 0;
  fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd == -1)
    return -1;
  result = fsync (fd);
  close (fd);
  return result;
}

int
main (int argc, char **argv)
{
  struct rusage usage;
  double begin, ended, flushed;
  FILE *result;
  int status;

  if (argc < 4) {
    fprintf (stderr, "usage: bench-child RESULT OUTPUT|- PROGRAM ...\n");
    return 2;
  }
  begin = seconds_now ();
  status = run (argv + 3, &usage);
  ended = seconds_now ();
  if (status != 0)
    return 1;
  if (flush (argv[2]) == -1) {
    perror (argv[2]);
    return 1;
  }
  flushed = seconds_now ();
  result = fopen (argv[1], "w");
  if (result == NULL) {
    perror (argv[1]);
    return 1;
  }
  fprintf (result, "{\"wall\": %.6f, \"flush\": %.6f, \"cpu\": %.6f, "
           "\"peak\": %ld}\n", flushed - begin, flushed - ended,
           seconds_of (usage.ru_utime) + seconds_of (usage.ru_stime),
           usage.ru_maxrss * 1024L);
  return fclose (result) == 0 ? 0 : 1;
}
