/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conformance checks: what a codec costs, beside those that are installed. */

#include <config.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "check_private.h"
#include "util/bytes.h"
#include "util/clock.h"

/* So much more memory, or so much less speed, than the worst of the others is
 * taken for a mistake; but less memory than this never, nor more MiB a second.
 */
#define MEMORY_TIMES 4u
#define MEMORY_FREE ((size_t) 64 << 20)
#define SPEED_TIMES 8.0
#define COMPRESS_FREE 1.0
#define DECOMPRESS_FREE 8.0

/* Seconds to measure for, and frames to measure at least. */
#define SECONDS 0.1
#define FRAMES_LEAST 2u

struct cost {
  size_t memory;               /* bytes a context */
  double compress, decompress; /* MiB in a second of one core */
  size_t frame;                /* bytes of a frame */
};

/* Beside it, and in words. */
struct comparison {
  struct check_run *run;
  void (*measure) (struct check_run *run, struct cost *cost);
  struct cost *shared;         /* with the process that measures */
  struct cost worst;
  unsigned int count;
  char others[240];
};

static size_t
most_memory (void)
{
  struct rusage usage;

  return getrusage (RUSAGE_SELF, &usage) == 0
    ? (size_t) usage.ru_maxrss << 10 : 0;
}

/* What it keeps, or had for a while and used. */
static void
measure_memory (struct check_run *run, struct cost *cost)
{
  size_t used = check_memory_used (), mapped = check_memory_mapped ();
  struct iopress_codec_context *context;
  struct kept frame;
  size_t most;

  /* The buffers are there before. */
  guarded_fill (&run->frame);
  guarded_fill (&run->output);
  most = most_memory ();
  context = check_open (run, run->ops->level_default, "", CHECK_CHUNK);
  check_frame (run, context, CHECK_CHUNK, &frame);
  check_gives_back (run, context, &frame, CHECK_CHUNK);
  most = most_memory () - most;
  check_release (&frame);
  used = check_memory_used () - used;
  mapped = check_memory_mapped () - mapped;
  cost->memory = (size_t) maximum_u64 (used + mapped, most);
  check_close (run, context);
}

static void
measure_speed (struct check_run *run, struct cost *cost)
{
  struct iopress_codec_context *context;
  struct kept frame;
  double start, spent;
  unsigned int count;

  context = check_open (run, run->ops->level_default, "", CHECK_CHUNK);
  check_frame (run, context, CHECK_CHUNK, &frame);
  cost->frame = frame.length;
  start = clock_seconds (CLOCK_PROCESS_CPUTIME_ID);
  for (count = 0, spent = 0; spent < SECONDS || count < FRAMES_LEAST;
       count++) {
    check_frame (run, context, CHECK_CHUNK, NULL);
    spent = clock_seconds (CLOCK_PROCESS_CPUTIME_ID) - start;
  }
  cost->compress = count / spent;
  start = clock_seconds (CLOCK_PROCESS_CPUTIME_ID);
  for (count = 0, spent = 0; spent < SECONDS || count < FRAMES_LEAST;
       count++) {
    check_gives_back (run, context, &frame, CHECK_CHUNK);
    spent = clock_seconds (CLOCK_PROCESS_CPUTIME_ID) - start;
  }
  cost->decompress = count / spent;
  check_release (&frame);
  check_close (run, context);
}

static void
describe (const struct comparison *comparison, const struct cost *cost,
          char *text, size_t size)
{
  if (comparison->measure == measure_memory)
    snprintf (text, size, "%zu KiB", cost->memory >> 10);
  else
    snprintf (text, size, "%.0f/%.0f MiB/s to %zu %%", cost->compress,
              cost->decompress, cost->frame * 100 / CHECK_CHUNK);
}

static void
take_worst (struct cost *worst, const struct cost *cost, bool first)
{
  if (first || cost->memory > worst->memory)
    worst->memory = cost->memory;
  if (first || cost->compress < worst->compress)
    worst->compress = cost->compress;
  if (first || cost->decompress < worst->decompress)
    worst->decompress = cost->decompress;
}

static void
measure (struct check_run *run, void *opaque)
{
  struct comparison *comparison = opaque;

  check_buffers_open (run, CHECK_CHUNK);
  check_input (run, CONTENT_PAGES, 9, CHECK_CHUNK);
  comparison->measure (run, comparison->shared);
}

/* In a process of its own, as the most memory that one had stays. */
static void
measure_apart (struct comparison *comparison, struct check_run *run,
               struct cost *cost)
{
  check_apart (run, measure, comparison);
  *cost = *comparison->shared;
}

static int
visit (void *opaque, const char *name, const struct codec *codec,
       const struct error *why)
{
  struct comparison *comparison = opaque;
  struct check_run other = *comparison->run;
  struct cost cost = { 0 };
  size_t used = strlen (comparison->others);
  char text[80];

  (void) why;
  if (codec == NULL || strcmp (name, other.ops->name) == 0)
    return 0;
  other.codec = codec;
  other.ops = &codec->ops;
  measure_apart (comparison, &other, &cost);
  take_worst (&comparison->worst, &cost, comparison->count++ == 0);
  describe (comparison, &cost, text, sizeof text);
  snprintf (comparison->others + used, sizeof comparison->others - used,
            "%s%s %s", used > 0 ? ", " : "", name, text);
  return 0;
}

static void
compare (struct check_run *run,
         void (*what) (struct check_run *run, struct cost *cost),
         struct cost *cost, struct comparison *comparison)
{
  struct error err = { 0 };
  char text[80];

  *comparison = (struct comparison) { .run = run, .measure = what };
  comparison->shared = mmap (NULL, sizeof *cost, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (comparison->shared == MAP_FAILED)
    check_fail (run, "no memory to compare with others");
  measure_apart (comparison, run, cost);
  codec_each (run->reference_folder, visit, comparison, &err);
  describe (comparison, cost, text, sizeof text);
  check_measured (run, "%s%s%s", text, comparison->count > 0 ? "; " : "",
                  comparison->others);
}

void
check_memory (struct check_run *run)
{
  struct comparison comparison;
  struct cost cost = { 0 };

  compare (run, measure_memory, &cost, &comparison);
  if (comparison.count > 0 && cost.memory > MEMORY_FREE &&
      cost.memory > MEMORY_TIMES * comparison.worst.memory)
    check_fail (run, "a context takes %zu KiB; %s", cost.memory >> 10,
                comparison.others);
}

static bool
is_slow (double speed, double free, double worst)
{
  return speed < free && speed * SPEED_TIMES < worst;
}

void
check_speed (struct check_run *run)
{
  struct comparison comparison;
  struct cost cost = { 0 };

  compare (run, measure_speed, &cost, &comparison);
  if (comparison.count > 0 &&
      (is_slow (cost.compress, COMPRESS_FREE, comparison.worst.compress) ||
       is_slow (cost.decompress, DECOMPRESS_FREE,
                comparison.worst.decompress)))
    check_fail (run, "it compresses %.2f MiB a second and decompresses %.2f, "
                "others do %s", cost.compress, cost.decompress,
                comparison.others);
}
