/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conformance checks: frames that nobody vouches for. */

#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "check_private.h"

#define LENGTH ((size_t) 20000)
#define MUTATIONS 400u

/* KiB that frames of LENGTH bytes may take, whatever they claim. */
#define MEMORY_MAX (256l << 10)

/* A context, and a frame that it made of LENGTH bytes. */
struct sample {
  struct iopress_codec_context *context;
  struct kept frame;
  uint8_t *copy;               /* room for twice the frame and more */
};

static void
sample_open (struct check_run *run, enum content content,
             struct sample *sample)
{
  check_input (run, content, 2, LENGTH);
  sample->context = check_open (run, run->ops->level_default, "",
                                CHECK_SMALL);
  check_frame (run, sample->context, LENGTH, &sample->frame);
  sample->copy = malloc (2 * sample->frame.length + 64);
  if (sample->copy == NULL)
    check_fail (run, "no memory for a copy of a frame");
  memcpy (sample->copy, sample->frame.bytes, sample->frame.length);
}

/* After all of it the context must still work. */
static void
sample_close (struct check_run *run, struct sample *sample)
{
  check_gives_back (run, sample->context, &sample->frame, LENGTH);
  check_close (run, sample->context);
  check_release (&sample->frame);
  free (sample->copy);
}

static void
expect_error (struct check_run *run, struct sample *sample, size_t length,
              size_t output_length, const char *what)
{
  if (check_decompress (run, sample->context, sample->copy, length,
                        output_length) != IOPRESS_CODEC_ERROR)
    check_fail (run, ".decompress accepts %s: %zu bytes for a frame of %zu, "
                "%zu bytes of result for %zu", what, length,
                sample->frame.length, output_length, LENGTH);
}

static void
for_each_content (struct check_run *run,
                  void (*try) (struct check_run *run, struct sample *sample))
{
  struct sample sample;
  int content;

  check_buffers_open (run, CHECK_SMALL);
  for (content = 0; content < CONTENT_KINDS; content++) {
    sample_open (run, (enum content) content, &sample);
    try (run, &sample);
    sample_close (run, &sample);
  }
}

static void
truncate_frame (struct check_run *run, struct sample *sample)
{
  size_t whole = sample->frame.length, step = whole / 300 + 1, length;

  for (length = 0; length < whole;
       length += length < 64 || length + 64 + step > whole ? 1 : step)
    expect_error (run, sample, length, LENGTH, "a frame that ends early");
}

void
check_truncated (struct check_run *run)
{
  for_each_content (run, truncate_frame);
}

static void
try_lengths (struct check_run *run, struct sample *sample)
{
  size_t whole = sample->frame.length;

  memset (sample->copy + whole, 0, whole + 64);
  expect_error (run, sample, whole + 1, LENGTH, "a byte behind the frame");
  expect_error (run, sample, whole + 16, LENGTH, "zeros behind the frame");
  memset (sample->copy + whole, 0xff, 16);
  expect_error (run, sample, whole + 7, LENGTH, "bytes behind the frame");
  memcpy (sample->copy + whole, sample->frame.bytes, whole);
  expect_error (run, sample, 2 * whole, LENGTH, "a second frame");
  expect_error (run, sample, 2 * whole, 2 * LENGTH, "a second frame");
  expect_error (run, sample, whole, LENGTH - 1, "a result that is longer");
  expect_error (run, sample, whole, 1, "a result that is longer");
  expect_error (run, sample, whole, LENGTH + 1, "a result that is shorter");
  expect_error (run, sample, whole, CHECK_SMALL, "a result that is shorter");
}

void
check_lengths (struct check_run *run)
{
  for_each_content (run, try_lengths);
}

/* An error or a result, but not bytes that were not written.  The host compares
 * a checksum.
 */
static void
expect_survival (struct check_run *run, struct sample *sample, size_t length)
{
  static uint8_t first[LENGTH];
  uint8_t *output = guarded_place (&run->output, LENGTH);
  size_t result;

  memset (output, 0x00, LENGTH);
  result = check_decompress (run, sample->context, sample->copy, length,
                             LENGTH);
  memcpy (first, output, LENGTH);
  memset (output, 0xff, LENGTH);
  if (check_decompress (run, sample->context, sample->copy, length, LENGTH) !=
      result)
    check_fail (run, ".decompress of a damaged frame fails at times only");
  if (result == LENGTH && memcmp (first, output, LENGTH) != 0)
    check_fail (run, ".decompress of a damaged frame succeeds, and leaves "
                "bytes of its output as they were");
}

static void
mutate (uint64_t *state, uint8_t *frame, size_t length)
{
  uint64_t number = random_next (state);
  size_t at = (size_t) (random_next (state) % length), to = at, count;

  /* Heads say the most. */
  if (number >> 62 == 0)
    to = at %= 24 < length ? 24 : length;
  count = (size_t) (number % 8) + 1;
  for (; to < length && to < at + count; to++)
    frame[to] = number & 256 ? (uint8_t) random_next (state)
      : number & 512 ? 0xff : number & 1024 ? 0
      : (uint8_t) (frame[to] ^ 1u << (number >> 32) % 8);
}

static void
damage_frame (struct check_run *run, struct sample *sample)
{
  size_t whole = sample->frame.length;
  uint64_t state = whole;
  unsigned int i, times;

  for (i = 0; i < MUTATIONS; i++) {
    memcpy (sample->copy, sample->frame.bytes, whole);
    for (times = 0; times <= i % 3; times++)
      mutate (&state, sample->copy, whole);
    /* Now what lies before the buffers cannot be read, now what lies behind. */
    run->frame.at_start = run->output.at_start = i % 2 == 0;
    expect_survival (run, sample, whole);
  }
}

static long
most_memory (void)
{
  struct rusage usage;

  return getrusage (RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

/* Nor does what a frame claims cost memory. */
static void
for_each_damage (struct check_run *run,
                 void (*try) (struct check_run *run, struct sample *sample))
{
  long before = most_memory (), after;

  for_each_content (run, try);
  after = most_memory ();
  if (after > before + MEMORY_MAX)
    check_fail (run, ".decompress takes %ld KiB of memory for a damaged frame "
                "of %zu bytes", after - before, LENGTH);
}

void
check_damaged (struct check_run *run)
{
  for_each_damage (run, damage_frame);
}

static void
try_garbage (struct check_run *run, struct sample *sample)
{
  size_t whole = sample->frame.length, length, head;
  uint64_t seed = whole;

  for (head = 0; head <= 24 && head <= whole; head += 4)
    for (length = head; length <= head + whole;
         length += length / 2 + 1, seed++) {
      memcpy (sample->copy, sample->frame.bytes, head);
      content_fill ((enum content) (seed % CONTENT_KINDS), seed,
                    sample->copy + head, length - head);
      expect_survival (run, sample, length);
    }
  expect_error (run, sample, 0, LENGTH, "a frame without a byte");
}

void
check_garbage (struct check_run *run)
{
  for_each_damage (run, try_garbage);
}
