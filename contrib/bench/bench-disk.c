/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the disk can do at most, for contrib/bench: bench-disk FILE MIB writes
 * FILE, reads it, and reads it while it writes FILE.2, with O_DIRECT, 1 MiB a
 * request, several in flight; prints the MiB/s of each as one JSON object.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libaio.h>

#include "bench-clock.h"

#define PAGE 4096
#define REQUEST (1 << 20)
#define DEPTH 4

/* Of 8 requests of the mixed run 3 write, as when 5 MiB shrink to 3. */
#define MIXED_OF 8
#define MIXED_WRITES 3

struct request {
  struct iocb iocb;
  char *buffer;
};

static void __attribute__ ((noreturn))
die (const char *what, int error)
{
  fprintf (stderr, "bench-disk: %s: %s\n", what, strerror (error));
  exit (1);
}

static int
open_direct (const char *path, int flags)
{
  int fd = open (path, flags | O_DIRECT | O_CLOEXEC, 0600);

  if (fd == -1)
    die (path, errno);
  return fd;
}

/* Random bytes, so that no layer below can shrink them. */
static char *
make_buffer (void)
{
  void *buffer;
  uint64_t *words, state = 0x9e3779b97f4a7c15;
  int error = posix_memalign (&buffer, PAGE, REQUEST);

  if (error != 0)
    die ("memory", error);
  words = buffer;
  for (size_t i = 0; i < REQUEST / sizeof *words; i++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    words[i] = state;
  }
  return buffer;
}

static void
submit (io_context_t ring, struct request *request)
{
  struct iocb *iocb = &request->iocb;
  int result = io_submit (ring, 1, &iocb);

  if (result != 1)
    die ("io_submit", result < 0 ? -result : EAGAIN);
}

static struct request *
wait_for_one (io_context_t ring)
{
  struct io_event event;
  int result;

  do
    result = io_getevents (ring, 1, 1, &event, NULL);
  while (result == -EINTR);
  if (result != 1)
    die ("io_getevents", result < 0 ? -result : EIO);
  if (event.res != REQUEST)
    die ("transfer", (long) event.res < 0 ? (int) -(long) event.res : EIO);
  return (struct request *) event.obj;
}

/* Requests in order; of every MIXED_OF the first WRITES write to WRITE_FD,
 * the others read from READ_FD.  Returns MiB/s, flush included.
 */
static double
transfer (int read_fd, int write_fd, unsigned int writes, unsigned int count)
{
  static struct request requests[DEPTH];
  unsigned int read_at = 0, write_at = 0;
  io_context_t ring = NULL;
  double begin;
  int result = io_setup (DEPTH, &ring);

  if (result < 0)
    die ("io_setup", -result);
  for (unsigned int i = 0; i < DEPTH; i++)
    if (requests[i].buffer == NULL)
      requests[i].buffer = make_buffer ();
  begin = seconds_now ();
  /* Writes that extend a file are done one by one. */
  if (writes > 0 && ftruncate (write_fd, (off_t) count * REQUEST) == -1)
    die ("ftruncate", errno);
  for (unsigned int i = 0; i < count; i++) {
    struct request *request =
      i < DEPTH ? &requests[i] : wait_for_one (ring);

    if (i % MIXED_OF < writes)
      io_prep_pwrite (&request->iocb, write_fd, request->buffer, REQUEST,
                      (long long) write_at++ * REQUEST);
    else
      io_prep_pread (&request->iocb, read_fd, request->buffer, REQUEST,
                     (long long) read_at++ * REQUEST);
    submit (ring, request);
  }
  for (unsigned int i = 0; i < (count < DEPTH ? count : DEPTH); i++)
    wait_for_one (ring);
  if (writes > 0 && fdatasync (write_fd) == -1)
    die ("fdatasync", errno);
  io_destroy (ring);
  return count / (seconds_now () - begin);
}

int
main (int argc, char **argv)
{
  double write_rate, read_rate, mixed_rate;
  unsigned int count;
  char second[4096];
  int fd, mixed;

  if (argc != 3) {
    fprintf (stderr, "usage: bench-disk FILE MIB\n");
    return 2;
  }
  count = (unsigned int) strtoul (argv[2], NULL, 10);
  if (snprintf (second, sizeof second, "%s.2", argv[1]) >=
      (int) sizeof second)
    die (argv[1], ENAMETOOLONG);
  fd = open_direct (argv[1], O_RDWR | O_CREAT | O_TRUNC);
  mixed = open_direct (second, O_RDWR | O_CREAT | O_TRUNC);
  write_rate = transfer (-1, fd, MIXED_OF, count);
  read_rate = transfer (fd, -1, 0, count);
  mixed_rate = transfer (fd, mixed, MIXED_WRITES, count);
  printf ("{\"write\": %.1f, \"read\": %.1f, \"mixed\": %.1f}\n", write_rate,
          read_rate, mixed_rate);
  close (mixed);
  close (fd);
  unlink (second);
  unlink (argv[1]);
  return 0;
}
