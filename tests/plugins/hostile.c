/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Codec plugin "hostile": on the way it does what the environment variable
 * HOSTILE names, and goes on as if nothing had been wrong.
 */

#include <config.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/run_codec.h"

static void
ignore (ssize_t result)
{
  (void) result;
}

static void *
nothing (void *opaque)
{
  return opaque;
}

static void
make_executable (void)
{
  void *memory = mmap (NULL, 4096, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (memory != MAP_FAILED)
    mprotect (memory, 4096, PROT_READ | PROT_EXEC);
}

/* What no codec can be blamed for: the C library trims its arenas. */
static void
allocate_much (void)
{
  size_t i, round;
  char *blocks[64];

  for (round = 0; round < 4; round++) {
    for (i = 0; i < 64; i++) {
      blocks[i] = malloc (100000);
      if (blocks[i] != NULL)
        memset (blocks[i], 1, 100000);
    }
    for (i = 64; i > 0; i--)
      free (blocks[i - 1]);
  }
}

static void
start_thread (void)
{
  pthread_t thread;

  if (pthread_create (&thread, NULL, nothing, NULL) == 0)
    pthread_join (thread, NULL);
}

static void
misbehave (void)
{
  static char *const command[] = { (char *) "true", NULL };
  const char *what = getenv ("HOSTILE"), *trace = getenv ("HOSTILE_TRACE");
  char byte = 'x';

  if (what == NULL)
    return;
  if (strcmp (what, "open") == 0)
    close (open (trace, O_WRONLY | O_CREAT, 0600));
  else if (strcmp (what, "unlink") == 0)
    unlink (trace);
  else if (strcmp (what, "exec") == 0)
    execv ("/bin/true", command);
  else if (strcmp (what, "socket") == 0)
    socket (AF_UNIX, SOCK_STREAM, 0);
  else if (strcmp (what, "write") == 0)
    ignore (write (STDOUT_FILENO, &byte, 1));
  else if (strcmp (what, "read") == 0)
    ignore (read (STDIN_FILENO, &byte, 1));
  else if (strcmp (what, "pread") == 0)
    ignore (pread (STDIN_FILENO, &byte, 1, 0));
  else if (strcmp (what, "executable") == 0)
    make_executable ();
  else if (strcmp (what, "map") == 0)
    mmap (NULL, 4096, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
  else if (strcmp (what, "malloc") == 0)
    allocate_much ();
  else if (strcmp (what, "thread") == 0)
    start_thread ();
  else if (strcmp (what, "kill") == 0)
    kill (1, 0);
  else
    abort ();
}

static size_t
hostile_compress (struct iopress_codec_context *context, const void *input,
                  size_t input_length, void *output, size_t output_size)
{
  misbehave ();
  return run_codec.compress (context, input, input_length, output,
                             output_size);
}

static size_t
hostile_decompress (struct iopress_codec_context *context, const void *input,
                    size_t input_length, void *output, size_t output_length)
{
  misbehave ();
  return run_codec.decompress (context, input, input_length, output,
                               output_length);
}

static struct iopress_codec hostile;

IOPRESS_REGISTER_CODEC (hostile)

static void __attribute__ ((constructor))
take_run_codec (void)
{
  hostile = run_codec;
  hostile.name = "hostile";
  hostile.compress = hostile_compress;
  hostile.decompress = hostile_decompress;
}
