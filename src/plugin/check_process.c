/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conformance checks: what a codec leaves behind in its process. */

#include <config.h>

#include <dirent.h>
#include <float.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_private.h"
#include "util/checksum.h"

/* As many descriptors are looked at. */
#define DESCRIPTORS 256

/* All that is asked of the plugin where there is no context. */
static void
ask (struct check_run *run, const struct kept *frame, const char *parameters)
{
  struct codec_choice choice = { .level = 0 };
  struct error err = { 0 };

  check_version (run);
  check_bound (run, CHECK_SMALL);
  if (run->ops->is_frame != NULL)
    check_knows (run, frame->bytes, frame->length < IOPRESS_CODEC_FRAME_START
                 ? frame->length : IOPRESS_CODEC_FRAME_START);
  if (run->ops->check_parameters == NULL)
    return;
  strcpy (choice.parameters, parameters[0] != '\0' ? parameters : "~");
  check_begin (run, 0, ".check_parameters of \"%s\"", choice.parameters);
  codec_choice_check (run->codec, &choice, &err);
  check_end (run);
}

/* There and back: with the next frame nothing has changed. */
static void
change_level (struct check_run *run, struct iopress_codec_context *context,
              unsigned int number)
{
  int level;

  if (run->ops->set_level == NULL)
    return;
  while (!check_level (run->ops, number, &level))
    number /= 2;
  check_set_level (run, context, level);
  check_set_level (run, context, run->ops->level_default);
}

void
check_live_on (struct check_run *run, struct iopress_codec_context *context,
               unsigned int number, const char *parameters)
{
  static const uint8_t garbage[64] = { 0x5a };
  struct kept frame;

  check_input (run, (enum content) (number % CONTENT_KINDS), 1, CHECK_SMALL);
  change_level (run, context, number);
  check_frame (run, context, CHECK_SMALL, &frame);
  check_compress (run, context, CHECK_SMALL, 10);
  check_gives_back (run, context, &frame, CHECK_SMALL);
  check_decompress (run, context, garbage, sizeof garbage, 4096);
  check_decompress (run, context, frame.bytes, frame.length / 2, 4096);
  ask (run, &frame, parameters);
  check_release (&frame);
}

void
check_live (struct check_run *run, unsigned int number)
{
  struct iopress_codec_context *context;
  char text[CHECK_TEXT_BYTES];
  unsigned int texts = 0;

  /* One that nothing was asked of. */
  context = check_open (run, run->ops->level_default, "", CHECK_SMALL);
  check_close (run, context);
  while (check_text (run->ops, texts, text))
    texts++;
  if (!check_text (run->ops, number % (texts + 1), text) ||
      strlen (text) > IOPRESS_CODEC_PARAMETERS_MAX)
    text[0] = '\0';
  context = check_open (run, run->ops->level_default, text, CHECK_SMALL);
  check_live_on (run, context, number, text);
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

/* What each descriptor of the process is of, as one number. */
static uint64_t
sum_descriptors (void)
{
  char path[64], target[256];
  uint64_t sum = 0;
  ssize_t length;
  int fd;

  for (fd = 0; fd < DESCRIPTORS; fd++) {
    snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
    length = readlink (path, target, sizeof target);
    if (length > 0)
      sum = sum * 31 + checksum (target, (size_t) length) + (uint64_t) fd;
  }
  return sum;
}

static uint64_t
sum_environment (void)
{
  uint64_t sum = 0;
  char **variable;

  for (variable = environ; variable != NULL && *variable != NULL; variable++)
    sum = sum * 31 + checksum (*variable, strlen (*variable));
  return sum;
}

/* What the processor makes of numbers that it has to round. */
static uint64_t
sum_arithmetic (void)
{
  volatile double one = 1, three = 3, tiny = DBL_MIN;
  const double results[] = { one / three, -one / three, tiny / three };

  return checksum (results, sizeof results);
}

static uint64_t
sum_limits (void)
{
  struct rlimit limit;
  uint64_t sum = 0;
  int resource;

  for (resource = 0; resource < (int) RLIM_NLIMITS; resource++)
    if (getrlimit ((__rlimit_resource_t) resource, &limit) == 0)
      sum = sum * 31 + checksum (&limit, sizeof limit);
  return sum;
}

/* What belongs to the process as a whole. */
struct process {
  unsigned int descriptors, threads;
  uint64_t descriptors_sum, environment, limits, arithmetic;
  int priority;
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
  process->descriptors_sum = sum_descriptors ();
  process->environment = sum_environment ();
  process->limits = sum_limits ();
  process->arithmetic = sum_arithmetic ();
  process->priority = getpriority (PRIO_PROCESS, 0);
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
    check_live (run, i);
  look (&after);
  if (after.descriptors != before.descriptors)
    check_fail (run, "there are %u descriptors, and were %u before",
                after.descriptors, before.descriptors);
  if (after.descriptors_sum != before.descriptors_sum)
    check_fail (run, "descriptors are of other files than before");
  if (after.threads != before.threads)
    check_fail (run, "there are %u threads, and were %u before",
                after.threads, before.threads);
  if (!same_signals (&after, &before))
    check_fail (run, "signals are blocked, or handled otherwise than before");
  if (strcmp (after.folder, before.folder) != 0 ||
      strcmp (after.locale, before.locale) != 0 ||
      after.umask != before.umask)
    check_fail (run, "current folder, locale or umask are not what they were");
  if (after.environment != before.environment)
    check_fail (run, "the environment is not what it was");
  if (after.arithmetic != before.arithmetic)
    check_fail (run, "numbers are rounded otherwise than before");
  if (after.limits != before.limits || after.priority != before.priority)
    check_fail (run, "limits or priority are not what they were");
}
