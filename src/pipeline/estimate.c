/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Predicting what save will do, from a sample of the windows. */

#include <config.h>

#include <math.h>

#include "format/footer.h"
#include "pipeline/estimate.h"
#include "pipeline/window_source.h"
#include "util/clock.h"

/* One window in so many, but never fewer than SAMPLE_MIN where there are. */
#define SAMPLE_SHARE 100u
#define SAMPLE_MIN 48u

/* Half the width of a 95 % interval, in standard errors. */
#define STANDARD_ERRORS 1.96

/* Sums over the sampled windows. */
struct sample {
  struct slot *held;
  uint64_t count;
  double sum, squares;         /* of the bytes that each adds to the image */
  uint64_t raw_bytes;
};

static int
begin (void *opaque, struct slot *slot, struct error *err)
{
  struct sample *sample = opaque;
  double bytes = 0;

  (void) err;
  if (slot->record_bytes > 0) {
    bytes = (double) (slot->record_bytes + INDEX_ENTRY_BYTES);
    sample->raw_bytes += slot->header.raw_bytes;
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

/* At best the workers are all that counts; at worst the image is written as
 * slowly as the sample was read, and nothing overlaps.
 */
static void
predict_time (const struct sample *sample, unsigned int threads, double wall,
              double cpu, struct estimate *estimate)
{
  double scale = sample->count > 0
    ? (double) estimate->windows / (double) sample->count : 0;
  double workers = threads > 0 ? threads : 1;
  double written = sample->raw_bytes > 0
    ? wall * sample->sum / (double) sample->raw_bytes : 0;

  estimate->seconds = (struct prediction) {
    .value = scale * fmax (wall, cpu / workers),
    .low = scale * cpu / workers,
    .high = scale * (wall + written + cpu / workers),
  };
}

int
estimate_run (struct file *file, const struct mapped_ram *ram,
              struct pack *pack, const struct run_options *options,
              struct estimate *estimate, struct error *err)
{
  const struct file_header *header = pack->header;
  struct sample sample = { .held = NULL };
  struct window_source *windows = NULL;
  struct source source;
  struct sink sink = { .opaque = &sample, .begin = begin, .finish = finish };
  struct job job = pack_job (pack);
  double wall, cpu;
  uint64_t wanted;
  int result;

  *estimate = (struct estimate) { .windows = 0 };
  if (window_source_open (file, ram, header->chunk_bytes, 0, &windows,
                          err) < 0)
    return -1;
  estimate->windows = window_source_count (windows);
  wanted = maximum_u64 (estimate->windows / SAMPLE_SHARE, SAMPLE_MIN);
  window_source_sample (windows, divide_up (estimate->windows, wanted));
  source = window_source_face (windows);
  wall = clock_seconds (CLOCK_MONOTONIC);
  cpu = clock_seconds (CLOCK_PROCESS_CPUTIME_ID);
  result = pipeline_run (&source, &job, &sink, options, err);
  wall = clock_seconds (CLOCK_MONOTONIC) - wall;
  cpu = clock_seconds (CLOCK_PROCESS_CPUTIME_ID) - cpu;
  window_source_close (windows);
  estimate->sampled = sample.count;
  estimate->read_bytes = sample.count * header->chunk_bytes;
  predict_size (header, &sample, estimate);
  predict_time (&sample, options->threads, wall, cpu, estimate);
  return result;
}
