/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A codec plugin with the one flaw that its file name tells; see check.sh. */

#include <config.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <fenv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "lib/run_codec.h"
#include "plugins/flawed.h"

/* Where the marks of flaws are put into frames: the level, which decompress
 * does not look at.
 */
#define MARK 4
#define MARKED_MOST(frame) (((const unsigned char *) (frame))[MARK] == 6)

typedef struct iopress_codec_context context_t;

static struct iopress_codec flawed;

/* The plugin's constructors run before its entry is called. */
static const char *
own_name (void)
{
  static char name[64];
  Dl_info self;
  const char *file;

  if (dladdr (&flawed, &self) == 0)
    return "";
  file = strrchr (self.dli_fname, '/') + 1;
  strncpy (name, file, strcspn (file, "."));
  return name;
}

int
is (const char *name)
{
  return strcmp (own_name (), name) == 0;
}

static void
burn (double seconds)
{
  clock_t end = clock () + (clock_t) (seconds * CLOCKS_PER_SEC);

  while (clock () < end)
    ;
}

static int contexts, last_level, has_text, used;
static volatile unsigned int calls;

/* So that no compiler finds out that nobody uses it. */
static void *volatile last;

void *
take_memory (size_t size)
{
  last = malloc (size);
  return last != NULL ? memset (last, 1, size) : NULL;
}

static context_t *
open_flawed (int level, const char *parameters, size_t chunk_size)
{
  contexts++;
  last_level = level;
  if (is ("leaks"))
    take_memory (100);
  if (is ("opens-files"))
    (void) !open ("/dev/null", O_RDONLY);
  if (is ("reads-in-open"))
    close (open ("/dev/null", O_RDONLY));
  if (is ("takes-signals"))
    signal (SIGUSR1, SIG_IGN);
  if (is ("one-chunk") && chunk_size == 1 << 17)
    return NULL;
  used = 0;
  has_text |= parameters[0] != '\0';
  if (is ("keeps-text") && parameters[0] != '\0')
    last = strdup (parameters);
  if (is ("hoards") && chunk_size == 1 << 20)
    take_memory ((size_t) 300 << 20);
  return run_codec.open (level, parameters, chunk_size);
}

static void
close_flawed (context_t *context)
{
  contexts--;
  if (is ("closes-unused") && !used)
    abort ();
  run_codec.close (context);
}

static _Thread_local void *of_thread;

/* What a flaw changes in the process. */
static void
change_process (void)
{
  if (is ("leaks-calls"))
    take_memory (100);
  if (is ("leaks-pages"))
    last = mmap (NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (is ("leaks-threads") && of_thread == NULL)
    of_thread = take_memory (100);
  if (is ("sets-variables"))
    setenv ("FLAWED", "1", 1);
  if (is ("rounds"))
    fesetround (FE_UPWARD);
  if (is ("sets-limits"))
    setrlimit (RLIMIT_NOFILE, &(struct rlimit) { 99, 99 });
  if (is ("asks"))
    calls += access ("/", R_OK) == 0;
}

/* What a flaw lets happen before a frame is made. */
static void
before_compress (const unsigned char *input, size_t length)
{
  if (is ("exits") && length == 4096)
    exit (0);
  if (is ("prints") && length == 1 << 16)
    printf ("compressing\n");
  if (is ("writes-input"))
    *(unsigned char *) (uintptr_t) input = 1;
  if (is ("reads-on"))
    calls += ((const volatile unsigned char *) input)[length];
  if (is ("hoards-a-while") && length == 1 << 20)
    free (take_memory ((size_t) 300 << 20));
  change_process ();
}

/* Once, and whoever comes meanwhile does not wait for it: 0 for him. */
static unsigned char
make_tables (void)
{
  static volatile int begun;

  if (calls == 0 && begun)
    return 0;
  begun = 1;
  if (calls == 0)
    usleep (20000);
  calls = 1;
  return 1;
}

/* And what it does to the frame. */
static void
mark_frame (const unsigned char *input, unsigned char *frame)
{
  static volatile size_t somewhere = 10000;
  volatile unsigned char *memory;

  if (is ("counts"))
    frame[MARK] = (unsigned char) ++calls;
  if (is ("counts-contexts"))
    frame[MARK] = (unsigned char) contexts;
  if (is ("wants-alignment"))
    frame[MARK] = (uintptr_t) input % 2;
  if (is ("last-level"))
    frame[MARK] = (unsigned char) last_level;
  if (is ("asks-variables"))
    frame[MARK] = getenv ("PATH") != NULL;
  if (is ("tells-time"))
    frame[MARK] = (unsigned char) time (NULL);
  if (is ("tells-pid"))
    frame[MARK] = (unsigned char) getpid ();
  if (is ("uses-stack"))
    frame[MARK] =
      ((const volatile unsigned char *) __builtin_frame_address (0))[-9000];
  if (is ("races"))
    frame[MARK] = make_tables ();
  if (is ("forgets-to-set")) {
    memory = malloc (20000);
    frame[MARK] = memory[somewhere];
    free ((void *) (uintptr_t) memory);
  }
}

/* All threads have the same one. */
static unsigned char shared[1 << 20];

static size_t
compress_flawed (context_t *context, const void *input, size_t length,
                 void *output, size_t size)
{
  size_t result;

  used = 1;
  before_compress (input, length);
  if (is ("small-only") && length > 1 << 20)
    return IOPRESS_CODEC_ERROR;
  if (is ("fails-guests") && length > 8 && memcmp (input, "of guest", 8) == 0)
    return IOPRESS_CODEC_ERROR;
  if (is ("shares") && length <= sizeof shared && calls++ > 8) {
    memcpy (shared, input, length);
    usleep (500);
    input = shared;
  }
  result = run_codec.compress (context, input, length, output, size);
  if (is ("writes-on") && result == IOPRESS_CODEC_NO_ROOM)
    ((volatile unsigned char *) output)[size] = 1;
  if (is ("forgets-level") && result == IOPRESS_CODEC_NO_ROOM)
    run_codec.set_level (context, run_codec.level_default);
  if (is ("writes-before") && size > 0)
    ((volatile unsigned char *) output)[-1] = 1;
  if (is ("fails-no-room") && result == IOPRESS_CODEC_NO_ROOM)
    return IOPRESS_CODEC_ERROR;
  if (is ("cuts-short") && result == IOPRESS_CODEC_NO_ROOM)
    return size;
  if (result == IOPRESS_CODEC_ERROR || result == IOPRESS_CODEC_NO_ROOM)
    return result;
  if (is ("no-last-level") && ((unsigned char *) output)[MARK] == 6)
    return IOPRESS_CODEC_ERROR;
  mark_frame (input, output);
  return result;
}

/* Frames that are not what they should be are not an error to all. */
static size_t
forgive (context_t *context, const void *input, size_t length, void *output,
         size_t output_length)
{
  size_t shorter = length;

  if (is ("accepts-tail"))
    while (shorter-- > 5)
      if (run_codec.decompress (context, input, shorter, output,
                                output_length) == output_length)
        return output_length;
  if (is ("accepts-cut") && length >= 13 && output_length == 20000)
    return output_length;
  if (is ("leaves-bytes") && length >= 13 && output_length == 20000 &&
      run_codec.is_frame (input, length))
    return output_length;
  if (is ("reads-before") && length >= 13 && output_length == 20000)
    calls += ((const volatile unsigned char *) output)[-300];
  if (is ("hangs") && length == 64)
    for (;;)
      calls++;
  return IOPRESS_CODEC_ERROR;
}

/* As run_codec does it, but what the frame says is believed. */
static size_t
trust (const unsigned char *from, size_t length, unsigned char *to,
       size_t output_length)
{
  const unsigned char *end = from + length;
  unsigned int literals, zeros;

  for (from += 5; from + 8 <= end; from += 8 + literals) {
    memcpy (&literals, from, 4);
    memcpy (&zeros, from + 4, 4);
    memcpy (to, from + 8, literals);
    memset (to + literals, 0, zeros);
    to += literals + zeros;
  }
  return output_length;
}

static size_t
decompress_flawed (context_t *context, const void *input, size_t length,
                   void *output, size_t output_length)
{
  size_t result;

  used = 1;
  if (is ("reads-up") && ((const unsigned char *) input)[MARK] < last_level)
    return IOPRESS_CODEC_ERROR;
  if (is ("trusts"))
    return trust (input, length, output, output_length);
  if (is ("slow"))
    burn ((double) output_length / (1 << 21));
  if (is ("believes-sizes") && length >= 13 && calls == 0 &&
      ((const unsigned char *) input)[8] == 0xff) {
    calls++;
    free (take_memory ((size_t) 320 << 20));
  }
  result = run_codec.decompress (context, input, length, output,
                                 output_length);
  if (result == IOPRESS_CODEC_ERROR)
    return forgive (context, input, length, output, output_length);
  if (is ("worst-level") && has_text && MARKED_MOST (input))
    ((unsigned char *) output)[0] ^= 1;
  if (is ("loses-a-byte") && output_length == 4097)
    ((unsigned char *) output)[4096] ^= 1;
  if (is ("loses-at-large") && output_length > 2 << 20 &&
      MARKED_MOST (input))
    ((unsigned char *) output)[output_length - 1] ^= 1;
  return result;
}

IOPRESS_REGISTER_CODEC (flawed)

static void __attribute__ ((constructor))
take_run_codec (void)
{
  flawed = run_codec;
  flawed.name = own_name ();
  flawed.open = open_flawed;
  flawed.close = close_flawed;
  flawed.compress = compress_flawed;
  flawed.decompress = decompress_flawed;
  flawed_members (&flawed);
  if (is ("dies-at-once"))
    abort ();
}
