/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the codecs can do at most on this machine, for contrib/bench:
 * bench-limits FILE CODEC LEVEL THREADS MAX-MIB compresses and decompresses
 * FILE's windows in memory by bare library calls, each window reduced to its
 * pages that are not zero, and prints one JSON object.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_ZSTD
#include <zstd.h>
#endif
#ifdef HAVE_LZ4
#include <lz4.h>
#include <lz4hc.h>
#endif
#ifdef HAVE_LZMA
#include <lzma.h>
#endif

#include "bench-clock.h"

#define PAGE 4096
#define WINDOW (1 << 20)
#define ROOM (2 * WINDOW)
#define SECONDS_MIN 0.4

static void __attribute__ ((noreturn))
die (const char *what)
{
  fprintf (stderr, "bench-limits: %s: %s\n", what, strerror (errno));
  exit (1);
}

static void *
allocate (size_t size)
{
  void *memory;

  errno = posix_memalign (&memory, PAGE, size);
  if (errno != 0)
    die ("memory");
  memset (memory, 0, size);
  return memory;
}

/* Codecs.  Sizes are returned; 0 is a failure. */

struct codec {
  const char *name;
  void *(*open) (int level);
  size_t (*compress) (void *context, int level, const char *in, size_t length,
                      char *out);
  size_t (*decompress) (const char *in, size_t length, char *out,
                        size_t room);
};

#ifdef HAVE_ZSTD
static void *
zstd_open (int level)
{
  (void) level;
  return ZSTD_createCCtx ();
}

static size_t
zstd_compress (void *context, int level, const char *in, size_t length,
               char *out)
{
  size_t result = ZSTD_compressCCtx (context, out, ROOM, in, length, level);

  return ZSTD_isError (result) ? 0 : result;
}

static size_t
zstd_decompress (const char *in, size_t length, char *out, size_t room)
{
  static _Thread_local ZSTD_DCtx *context;
  size_t result;

  if (context == NULL)
    context = ZSTD_createDCtx ();
  result = ZSTD_decompressDCtx (context, out, room, in, length);
  return ZSTD_isError (result) ? 0 : result;
}
#endif

#ifdef HAVE_LZ4
static void *
lz4_open (int level)
{
  return malloc ((size_t) (level > 2 ? LZ4_sizeofStateHC () :
                           LZ4_sizeofState ()));
}

static size_t
lz4_compress (void *context, int level, const char *in, size_t length,
              char *out)
{
  return (size_t) (level > 2 ?
    LZ4_compress_HC_extStateHC (context, in, out, (int) length, ROOM, level) :
    LZ4_compress_fast_extState (context, in, out, (int) length, ROOM, 1));
}

static size_t
lz4_decompress (const char *in, size_t length, char *out, size_t room)
{
  int result = LZ4_decompress_safe (in, out, (int) length, (int) room);

  return result < 0 ? 0 : (size_t) result;
}
#endif

#ifdef HAVE_LZMA
static void *
xz_open (int level)
{
  (void) level;
  return malloc (1);
}

static size_t
xz_compress (void *context, int level, const char *in, size_t length,
             char *out)
{
  size_t used = 0;

  (void) context;
  return lzma_easy_buffer_encode ((uint32_t) level, LZMA_CHECK_CRC32, NULL,
                                  (const uint8_t *) in, length,
                                  (uint8_t *) out, &used, ROOM) == LZMA_OK ?
    used : 0;
}

static size_t
xz_decompress (const char *in, size_t length, char *out, size_t room)
{
  uint64_t limit = UINT64_MAX;
  size_t read = 0, used = 0;

  return lzma_stream_buffer_decode (&limit, 0, NULL, (const uint8_t *) in,
                                    &read, length, (uint8_t *) out, &used,
                                    room) == LZMA_OK ? used : 0;
}
#endif

static const struct codec codecs[] = {
#ifdef HAVE_ZSTD
  { "zstd", zstd_open, zstd_compress, zstd_decompress },
#endif
#ifdef HAVE_LZ4
  { "lz4", lz4_open, lz4_compress, lz4_decompress },
#endif
#ifdef HAVE_LZMA
  { "xz", xz_open, xz_compress, xz_decompress },
#endif
  { NULL, NULL, NULL, NULL },
};

/* The windows. */

struct window {
  char *raw, *packed;
  size_t raw_length, packed_length;
};

static struct window *windows;
static size_t window_count;
static size_t present, kept, packed_total;

/* Moves the pages that are not zero to the front, returns their length. */
static size_t
squeeze (char *window, size_t length)
{
  static const char zeros[PAGE];
  size_t kept_length = 0;

  for (size_t i = 0; i < length; i += PAGE)
    if (memcmp (window + i, zeros, PAGE) != 0) {
      memmove (window + kept_length, window + i, PAGE);
      kept_length += PAGE;
    }
  return kept_length;
}

static void
keep_window (const char *raw, size_t length)
{
  struct window *window;

  windows = reallocarray (windows, window_count + 1, sizeof *windows);
  if (windows == NULL)
    die ("memory");
  window = &windows[window_count++];
  window->raw = allocate (length);
  memcpy (window->raw, raw, length);
  window->packed = NULL;
  window->raw_length = length;
  kept += length;
}

/* Keeps every window, or one in STRIDE where they are more than MAX bytes. */
static void
load_windows (const char *path, size_t max)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  char *buffer = allocate (WINDOW);
  size_t stride, seen = 0;
  struct stat status;
  off_t at = 0;

  if (fd == -1 || fstat (fd, &status) == -1)
    die (path);
  stride = (size_t) status.st_blocks * 512 / max + 1;
  while ((at = lseek (fd, at, SEEK_DATA)) != -1) {
    ssize_t length;

    at -= at % WINDOW;
    memset (buffer, 0, WINDOW);
    length = pread (fd, buffer, WINDOW, at);
    if (length <= 0)
      break;
    at += WINDOW;
    length = (ssize_t) squeeze (buffer, WINDOW);
    present += (size_t) length;
    if (length > 0 && seen++ % stride == 0)
      keep_window (buffer, (size_t) length);
  }
  free (buffer);
  close (fd);
}

/* The threads. */

struct work {
  const struct codec *codec;
  int level;
  bool decompress;
  pthread_barrier_t barrier;
  atomic_size_t next;
  atomic_llong cpu_ns;
};

static void
work_on (const struct work *work, struct window *window, void *context,
         char *out)
{
  size_t length;

  if (work->decompress) {
    length = work->codec->decompress (window->packed, window->packed_length,
                                      out, WINDOW);
    if (length != window->raw_length) {
      errno = EIO;
      die (work->codec->name);
    }
    return;
  }
  length = work->codec->compress (context, work->level, window->raw,
                                  window->raw_length, out);
  if (length == 0) {
    errno = EIO;
    die (work->codec->name);
  }
  if (window->packed == NULL) {
    window->packed = allocate (length);
    memcpy (window->packed, out, length);
    window->packed_length = length;
  }
}

static void *
worker_main (void *opaque)
{
  struct work *work = opaque;
  void *context = work->codec->open (work->level);
  char *out = allocate (ROOM);
  double begin;
  size_t i;

  if (context == NULL)
    die ("memory");
  work_on (work, &windows[0], context, out);
  pthread_barrier_wait (&work->barrier);
  begin = clock_seconds (CLOCK_THREAD_CPUTIME_ID);
  while ((i = atomic_fetch_add (&work->next, 1)) < window_count)
    work_on (work, &windows[i], context, out);
  atomic_fetch_add (&work->cpu_ns, (long long)
    ((clock_seconds (CLOCK_THREAD_CPUTIME_ID) - begin) * 1e9));
  free (out);
  return NULL;
}

/* One pass over all windows; adds its seconds to WALL and CPU. */
static void
pass (struct work *work, unsigned int threads, double *wall, double *cpu)
{
  pthread_t *thread = calloc (threads, sizeof *thread);
  double begin;

  atomic_store (&work->next, 0);
  atomic_store (&work->cpu_ns, 0);
  pthread_barrier_init (&work->barrier, NULL, threads + 1);
  for (unsigned int i = 0; i < threads; i++)
    if ((errno = pthread_create (&thread[i], NULL, worker_main, work)) != 0)
      die ("thread");
  pthread_barrier_wait (&work->barrier);
  begin = seconds_now ();
  for (unsigned int i = 0; i < threads; i++)
    pthread_join (thread[i], NULL);
  *wall += seconds_now () - begin;
  *cpu += (double) atomic_load (&work->cpu_ns) / 1e9;
  pthread_barrier_destroy (&work->barrier);
  free (thread);
}

static void
measure_codec (const char *name, struct work *work, unsigned int threads)
{
  double wall = 0, cpu = 0;
  unsigned int passes = 0;

  for (; passes == 0 || wall < SECONDS_MIN; passes++)
    pass (work, threads, &wall, &cpu);
  printf ("\"%s_wall\": %.6f, \"%s_cpu\": %.6f, ", name, wall / passes, name,
          cpu / passes);
}

int
main (int argc, char **argv)
{
  struct work work = { .codec = codecs };
  unsigned int threads;
  double ignored = 0;

  if (argc != 6) {
    fprintf (stderr,
             "usage: bench-limits FILE CODEC LEVEL THREADS MAX-MIB\n");
    return 2;
  }
  work.level = atoi (argv[3]);
  threads = (unsigned int) strtoul (argv[4], NULL, 10);
  while (work.codec->name != NULL && strcmp (work.codec->name, argv[2]) != 0)
    work.codec++;
  if (work.codec->name == NULL || threads == 0) {
    fprintf (stderr, "bench-limits: no codec %s here\n", argv[2]);
    return 2;
  }
  load_windows (argv[1], (size_t) strtoul (argv[5], NULL, 10) << 20);
  if (window_count == 0) {
    fprintf (stderr, "bench-limits: %s: nothing but zeros\n", argv[1]);
    return 1;
  }
  /* The first pass keeps what it packed. */
  pass (&work, 1, &ignored, &ignored);
  putchar ('{');
  measure_codec ("compress", &work, threads);
  work.decompress = true;
  measure_codec ("decompress", &work, threads);
  for (size_t i = 0; i < window_count; i++)
    packed_total += windows[i].packed_length;
  printf ("\"present\": %zu, \"kept\": %zu, \"packed\": %zu}\n", present,
          kept, packed_total);
  return 0;
}
