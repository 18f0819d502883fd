/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Predicting what save will do, from a sample of the windows. */

#include <config.h>

#include <math.h>

#include "format/footer.h"
#include "pipeline/estimate.h"
#include "pipeline/window_intake.h"
#include "util/clock.h"

/* One window in so many, but never fewer than SAMPLE_MIN where there are. */
#define SAMPLE_SHARE 100u
#define SAMPLE_MIN 48u

/* Half the width of a 95 % interval, in standard errors. */
#define STANDARD_ERRORS 1.96

/* Seconds, since some point in the past. */
struct instant {
  double wall;
  double cpu;                  /* of this process */
};

/* Sums over the sampled windows. */
struct sample {
  struct slot *held;
  uint64_t count;
  double sum, squares;         /* of the bytes that each adds to the image */
  uint64_t raw_bytes;
  /* When as many windows were done as there are workers, and when all were: so
   * that between the two no worker waits for the others.
   */
  unsigned int workers;
  struct instant first, last;
};

static struct instant
instant_now (void)
{
  return (struct instant) {
    .wall = clock_seconds (CLOCK_MONOTONIC),
    .cpu = clock_seconds (CLOCK_PROCESS_CPUTIME_ID),
  };
}

static struct instant
instant_since (struct instant start, struct instant end)
{
  return (struct instant) {
    .wall = end.wall - start.wall,
    .cpu = end.cpu - start.cpu,
  };
}

static int
begin (void *opaque, struct slot *slot, struct error *err)
{
  struct sample *sample = opaque;
  double bytes = 0;

  (void) err;
  sample->last = instant_now ();
  if (sample->count < sample->workers)
    sample->first = sample->last;
  if (slot->window.record_bytes > 0) {
    bytes = (double) (slot->window.record_bytes + INDEX_ENTRY_BYTES);
    sample->raw_bytes += slot->window.header.raw_bytes;
  }
  sample->count++;
  sample->sum += bytes;
  sample->squares += bytes * bytes;
  sample->held = slot;
  return 0;
}

static void
finish (void *opaque, bool wait, struct slot **slot)
{
  struct sample *sample = opaque;

  (void) wait;
  *slot = sample->held;
  sample->held = NULL;
}

/* The mean of a stratified sample says how large all windows are, give or
 * take its standard error; nothing is uncertain once all were sampled.
 */
static void
predict_size (const struct file_header *header, const struct sample *sample,
              struct estimate *estimate)
{
  double n = (double) sample->count, all = (double) estimate->windows;
  double fixed = (double) (records_start (header) + INDEX_HEADER_BYTES +
                           FOOTER_BYTES);
  double mean = n > 0 ? sample->sum / n : 0;
  double variance = n > 1
    ? (sample->squares - sample->sum * mean) / (n - 1) : 0;
  double missing = all > 0 ? 1 - n / all : 0;
  double width = 0;

  if (n > 0 && variance > 0 && missing > 0)
    width = STANDARD_ERRORS * all * sqrt (variance / n * missing);
  estimate->image_bytes = (struct prediction) {
    .value = fixed + all * mean,
    .low = fmax (fixed + all * mean - width, fixed),
    .high = fixed + all * mean + width,
  };
}

/* Half the width of the size's interval, as a share of the size: the work that
 * windows make differs about as much.
 */
static double
uncertainty (const struct prediction *size)
{
  return size->value > 0 ? (size->high - size->low) / 2 / size->value : 0;
}

/* A window of the save takes as long as one of the sample between the first and
 * the last instant; the rest, such as starting the workers and their first use
 * of memory, comes once.  At best the workers are all that counts; at worst the
 * image is written as slowly as the sample was read, and nothing overlaps.
 */
static void
predict_time (const struct sample *sample, struct instant spent,
              struct estimate *estimate)
{
  struct instant steady = instant_since (sample->first, sample->last);
  double workers = sample->workers;
  double scale = sample->count > sample->workers
    ? (double) (estimate->windows - sample->workers) /
      (double) (sample->count - sample->workers) : 0;
  double doubt = uncertainty (&estimate->image_bytes);
  double once = spent.wall - steady.wall;
  double working = scale * steady.cpu / workers;
  double reading = scale * steady.wall;
  double writing = sample->raw_bytes > 0
    ? reading * sample->sum / (double) sample->raw_bytes : 0;

  estimate->seconds = (struct prediction) {
    .value = once + fmax (reading, working),
    .low = working * fmax (1 - doubt, 0),
    .high = once + (reading + writing + working) * (1 + doubt),
  };
}

int
estimate_run (struct file *file, const struct intake_need *need,
              struct pack *pack, const struct run_options *options,
              struct estimate *estimate, struct error *err)
{
  const struct file_header *header = pack->encoding.header;
  struct sample sample = {
    .workers = options->threads > 0 ? options->threads : 1,
  };
  struct window_intake *windows = NULL;
  struct intake intake;
  struct sink sink = { .opaque = &sample, .begin = begin, .finish = finish };
  struct job job = pack_job (pack);
  struct instant start, spent;
  uint64_t wanted;
  int result;

  *estimate = (struct estimate) { .windows = 0 };
  if (window_intake_open (file, need, header->chunk_bytes, 0, &windows,
                          err) < 0)
    return -1;
  estimate->windows = window_intake_count (windows);
  wanted = maximum_u64 (estimate->windows / SAMPLE_SHARE, SAMPLE_MIN);
  window_intake_sample (windows, divide_up (estimate->windows, wanted));
  intake = window_intake_face (windows);
  start = instant_now ();
  result = pipeline_run (&intake, &job, &sink, options, err);
  spent = instant_since (start, instant_now ());
  window_intake_close (windows);
  estimate->sampled = sample.count;
  estimate->read_bytes = sample.count * header->chunk_bytes;
  predict_size (header, &sample, estimate);
  predict_time (&sample, spent, estimate);
  return result;
}
