/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conformance check: a codec gives back the memory that it takes. */

#include <config.h>

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "check_private.h"
#include "util/thread.h"

#define WARM_UP 12u
#define ROUNDS 64u

/* Bytes a round that do not count; and of mappings, over all of them. */
#define GROWTH_MAX 2u
#define MAPPED_MAX ((size_t) 16 << 10)

size_t
check_memory_used (void)
{
#ifdef HAVE_MALLINFO2
  struct mallinfo2 info = mallinfo2 ();

  return info.uordblks + info.hblkhd;
#else
  return 0;
#endif
}

/* What malloc keeps for later is not in use, and grows and shrinks. */
static size_t
heap_bytes (void)
{
#ifdef HAVE_MALLINFO2
  struct mallinfo2 info = mallinfo2 ();

  return info.arena + info.hblkhd;
#else
  return 0;
#endif
}

/* Without malloc, whose memory is looked at. */
size_t
check_memory_mapped (void)
{
  int fd = open ("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  char text[128];
  ssize_t length;

  if (fd < 0)
    return 0;
  length = read (fd, text, sizeof text - 1);
  close (fd);
  text[length > 0 ? length : 0] = '\0';
  return strtoul (text, NULL, 10) * (size_t) sysconf (_SC_PAGESIZE) -
    heap_bytes ();
}

/* What is in use before the rounds that count. */
struct memory {
  size_t used, mapped;
};

static void
expect_no_growth (struct check_run *run, const struct memory *before,
                  const char *what)
{
  size_t used = check_memory_used (), mapped = check_memory_mapped ();

  if (used > before->used + (size_t) ROUNDS * GROWTH_MAX)
    check_fail (run, "memory leaks: %zu bytes more after %u rounds of %s",
                used - before->used, ROUNDS, what);
#ifndef SANITIZED
  /* A sanitizer keeps what was freed. */
  if (mapped > before->mapped + MAPPED_MAX)
    check_fail (run, "mappings leak: %zu KiB more after %u rounds of %s",
                (mapped - before->mapped) >> 10, ROUNDS, what);
#else
  (void) mapped;
#endif
}

static void
try_rounds (struct check_run *run, struct iopress_codec_context *context,
            void (*live) (struct check_run *run, unsigned int number,
                          struct iopress_codec_context *context),
            const char *what)
{
  struct memory before = { 0 };
  unsigned int i;

  for (i = 0; i < WARM_UP + ROUNDS; i++) {
    if (i == WARM_UP)
      before = (struct memory) { check_memory_used (),
                                 check_memory_mapped () };
    live (run, i, context);
  }
  expect_no_growth (run, &before, what);
}

static void
live_anew (struct check_run *run, unsigned int number,
           struct iopress_codec_context *context)
{
  (void) context;
  check_live (run, number);
}

/* What grows is not of use, as the inputs are the same again. */
static void
live_on (struct check_run *run, unsigned int number,
         struct iopress_codec_context *context)
{
  check_live_on (run, context, number, "");
}

struct visit {
  struct check_run *run;
  unsigned int number;
};

static void *
live_in_thread (void *opaque)
{
  struct visit *visit = opaque;

  check_live (visit->run, visit->number);
  return NULL;
}

/* What a thread has of its own ends with it. */
static void
live_elsewhere (struct check_run *run, unsigned int number,
                struct iopress_codec_context *context)
{
  struct visit visit = { run, number };
  pthread_t thread;

  (void) context;
  if (thread_start (&thread, live_in_thread, &visit) != 0)
    check_fail (run, "a thread cannot be started");
  pthread_join (thread, NULL);
}

void
check_leaks (struct check_run *run)
{
  struct iopress_codec_context *context;

  /* Others are reserved as a whole and used in part. */
  mallopt (M_ARENA_MAX, 1);
  check_buffers_open (run, CHECK_SMALL);
  try_rounds (run, NULL, live_anew, ".open to .close");
  context = check_open (run, run->ops->level_default, "", CHECK_SMALL);
  try_rounds (run, context, live_on,
              ".set_level, .compress and .decompress");
  check_close (run, context);
  try_rounds (run, NULL, live_elsewhere, "threads that use it and end");
}
