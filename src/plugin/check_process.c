/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conformance checks: what a codec leaves behind in its process. */

#include <config.h>

#include <dirent.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_private.h"

#define WARM_UP 12u
#define ROUNDS 64u

/* Bytes a round that do not count. */
#define GROWTH_MAX 8u

/* One life of a context, with all that can come to pass in it. */
static void
live (struct check_run *run, unsigned int i)
{
  static const uint8_t garbage[64] = { 0x5a };
  struct iopress_codec_context *context;
  struct kept frame;

  check_input (run, (enum content) (i % CONTENT_KINDS), 1, CHECK_SMALL);
  context = check_open (run, run->ops->level_default, "", CHECK_SMALL);
  check_frame (run, context, CHECK_SMALL, &frame);
  check_compress (run, context, CHECK_SMALL, 10);
  check_gives_back (run, context, &frame, CHECK_SMALL);
  check_decompress (run, context, garbage, sizeof garbage, 4096);
  check_decompress (run, context, frame.bytes, frame.length / 2, 4096);
  check_release (&frame);
  check_close (run, context);
}

/* A long life: what grows is not of use, as the inputs are the same again. */
static void
live_on (struct check_run *run, unsigned int i,
         struct iopress_codec_context *context)
{
  struct kept frame;

  check_input (run, (enum content) (i % CONTENT_KINDS), 1, CHECK_SMALL);
  check_frame (run, context, CHECK_SMALL, &frame);
  check_gives_back (run, context, &frame, CHECK_SMALL);
  check_decompress (run, context, frame.bytes, frame.length / 2, 4096);
  check_release (&frame);
}

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

size_t
check_memory_mapped (void)
{
  unsigned long pages = 0;
  FILE *file = fopen ("/proc/self/statm", "r");

  if (file != NULL && fscanf (file, "%lu", &pages) != 1)
    pages = 0;
  if (file != NULL)
    fclose (file);
  return pages * (size_t) sysconf (_SC_PAGESIZE);
}

static void
expect_no_growth (struct check_run *run, size_t before, size_t after,
                  const char *what)
{
  if (after > before + (size_t) ROUNDS * GROWTH_MAX)
    check_fail (run, "memory leaks: %zu bytes more after %u rounds of %s",
                after - before, ROUNDS, what);
}

/* A sanitizer keeps what was freed. */
static void
expect_few_mappings (struct check_run *run, size_t before, const char *what)
{
#ifndef SANITIZED
  expect_no_growth (run, before + (1u << 20), check_memory_mapped (), what);
#else
  (void) run;
  (void) before;
  (void) what;
#endif
}

void
check_leaks (struct check_run *run)
{
  struct iopress_codec_context *context;
  size_t used = 0, mapped = 0;
  unsigned int i;

  check_buffers_open (run, CHECK_SMALL);
  for (i = 0; i < WARM_UP + ROUNDS; i++) {
    if (i == WARM_UP) {
      mapped = check_memory_mapped ();
      used = check_memory_used ();
    }
    live (run, i);
  }
  expect_no_growth (run, used, check_memory_used (), ".open to .close");
  expect_few_mappings (run, mapped, ".open to .close");
  context = check_open (run, run->ops->level_default, "", CHECK_SMALL);
  for (i = 0; i < WARM_UP + ROUNDS; i++) {
    if (i == WARM_UP) {
      mapped = check_memory_mapped ();
      used = check_memory_used ();
    }
    live_on (run, i, context);
  }
  expect_no_growth (run, used, check_memory_used (),
                    ".compress and .decompress");
  expect_few_mappings (run, mapped, ".compress and .decompress");
  check_close (run, context);
}

static unsigned int
count_entries (const char *folder)
{
  DIR *entries = opendir (folder);
  unsigned int count = 0;

  if (entries == NULL)
    return 0;
  while (readdir (entries) != NULL)
    count++;
  closedir (entries);
  return count;
}

/* What belongs to the process as a whole. */
struct process {
  unsigned int descriptors, threads;
  char folder[256], locale[256];
  mode_t umask;
  sigset_t mask;
  struct sigaction actions[NSIG];
};

static void
look (struct process *process)
{
  int number;

  memset (process, 0, sizeof *process);
  process->descriptors = count_entries ("/proc/self/fd");
  process->threads = count_entries ("/proc/self/task");
  if (getcwd (process->folder, sizeof process->folder) == NULL)
    process->folder[0] = '\0';
  snprintf (process->locale, sizeof process->locale, "%s",
            setlocale (LC_ALL, NULL));
  process->umask = umask (0);
  umask (process->umask);
  sigprocmask (SIG_BLOCK, NULL, &process->mask);
  for (number = 1; number < NSIG; number++)
    sigaction (number, NULL, &process->actions[number]);
}

static bool
same_signals (const struct process *a, const struct process *b)
{
  int number;

  for (number = 1; number < NSIG; number++)
    if (sigismember (&a->mask, number) != sigismember (&b->mask, number) ||
        a->actions[number].sa_handler != b->actions[number].sa_handler)
      return false;
  return true;
}

/* The state before the plugin was loaded. */
static struct process before;

void
check_process_remember (void)
{
  look (&before);
}

void
check_process (struct check_run *run)
{
  static struct process after;
  unsigned int i;

  check_buffers_open (run, CHECK_SMALL);
  for (i = 0; i < CONTENT_KINDS; i++)
    live (run, i);
  look (&after);
  if (after.descriptors != before.descriptors)
    check_fail (run, "there are %u descriptors, and were %u before",
                after.descriptors, before.descriptors);
  if (after.threads != before.threads)
    check_fail (run, "there are %u threads, and were %u before",
                after.threads, before.threads);
  if (!same_signals (&after, &before))
    check_fail (run, "signals are blocked, or handled otherwise than before");
  if (strcmp (after.folder, before.folder) != 0 ||
      strcmp (after.locale, before.locale) != 0 ||
      after.umask != before.umask)
    check_fail (run, "current folder, locale or umask are not what they were");
}
