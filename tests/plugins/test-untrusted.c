/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every shipped codec: frames that are not what they should be.  They lie at
 * the end of accessible memory and so does the output, so that a byte read or
 * written too far kills the test.
 */

#include <config.h>

#include <string.h>

#include "shipped.h"

#define LENGTH ((size_t) 64 << 10)

struct fixture {
  const struct codec *codec;
  struct iopress_codec_context *context;
  uint8_t good[2 * LENGTH];    /* a frame of LENGTH bytes of input */
  size_t good_length;
};

static void
setup (struct fixture *fixture, const struct codec *codec,
       enum sample sample)
{
  uint8_t *frame;

  fixture->codec = codec;
  fixture->context = open_context (codec, codec->ops.level_default, LENGTH);
  frame = make_frame (codec, fixture->context, sample, 1, LENGTH,
                      &fixture->good_length);
  assert_true (fixture->good_length <= sizeof fixture->good);
  memcpy (fixture->good, frame, fixture->good_length);
}

/* A context must still work after all it has been given. */
static void
teardown (struct fixture *fixture)
{
  assert_decompresses (fixture->codec, fixture->context, fixture->good,
                       fixture->good_length, LENGTH);
  fixture->codec->ops.close (fixture->context);
}

static size_t
decompress (struct fixture *fixture, const uint8_t *frame,
            size_t frame_length, size_t output_length)
{
  const struct iopress_codec *ops = &fixture->codec->ops;
  uint8_t *output = buffer_end (BUFFER_OUTPUT, output_length);
  size_t result = ops->decompress (fixture->context, frame, frame_length,
                                   output, output_length);

  if (result == IOPRESS_CODEC_ERROR)
    assert_non_null (ops->error_text (fixture->context));
  else
    assert_int_equal (result, output_length);
  return result;
}

static void
assert_fails (struct fixture *fixture, const uint8_t *frame,
              size_t frame_length, size_t output_length)
{
  if (decompress (fixture, frame, frame_length, output_length) !=
      IOPRESS_CODEC_ERROR)
    fail_msg ("a frame of %zu bytes gave %zu bytes, and should not",
              frame_length, output_length);
}

static void
truncated (const struct codec *codec, enum sample sample)
{
  static struct fixture fixture;
  size_t length;
  uint8_t *frame;

  setup (&fixture, codec, sample);
  for (length = 0; length < fixture.good_length;
       length += length < 256 || length + 64 > fixture.good_length ? 1 : 61) {
    frame = buffer_end (BUFFER_FRAME, length);
    memcpy (frame, fixture.good, length);
    assert_fails (&fixture, frame, length, LENGTH);
  }
  teardown (&fixture);
}

static void
test_truncated (void **state)
{
  int sample;

  for (sample = 0; sample < SAMPLE_KINDS; sample++)
    truncated (*state, (enum sample) sample);
}

static void
assert_fails_with (struct fixture *fixture, const void *before,
                   size_t before_length, const void *after,
                   size_t after_length)
{
  size_t total = before_length + fixture->good_length + after_length;
  uint8_t *frame = buffer_end (BUFFER_FRAME, total);

  if (before_length != 0)
    memcpy (frame, before, before_length);
  memcpy (frame + before_length, fixture->good, fixture->good_length);
  if (after_length != 0)
    memcpy (frame + total - after_length, after, after_length);
  assert_fails (fixture, frame, total, LENGTH);
  assert_fails (fixture, frame, total, 2 * LENGTH);
}

/* Skippable frames of zstd and lz4, stream padding of xz, a second frame. */
static void
test_more_than_one_frame (void **state)
{
  static const uint8_t skippable[] = {
    0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c',
  };
  static const uint8_t zeros[8];
  static struct fixture fixture;

  setup (&fixture, *state, SAMPLE_TEXT);
  assert_fails_with (&fixture, NULL, 0, zeros, 1);
  assert_fails_with (&fixture, NULL, 0, zeros, 4);
  assert_fails_with (&fixture, NULL, 0, zeros, 8);
  assert_fails_with (&fixture, zeros, 4, NULL, 0);
  assert_fails_with (&fixture, NULL, 0, skippable, sizeof skippable);
  assert_fails_with (&fixture, skippable, sizeof skippable, NULL, 0);
  assert_fails_with (&fixture, NULL, 0, fixture.good, fixture.good_length);
  assert_fails (&fixture, skippable, sizeof skippable, LENGTH);
  teardown (&fixture);
}

static void
test_other_length (void **state)
{
  static const size_t lengths[] = {
    1, 4096, LENGTH / 2, LENGTH - 4096, LENGTH - 1, LENGTH + 1,
    LENGTH + 4096, 2 * LENGTH, SAMPLE_MAX,
  };
  static struct fixture fixture;
  size_t i;
  int sample;

  for (sample = 0; sample < SAMPLE_KINDS; sample++) {
    setup (&fixture, *state, (enum sample) sample);
    for (i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
      assert_fails (&fixture, fixture.good, fixture.good_length, lengths[i]);
    teardown (&fixture);
  }
}

static void
damaged (const struct codec *codec, enum sample sample, uint8_t mask)
{
  static struct fixture fixture;
  size_t length, at;
  uint8_t *frame;

  setup (&fixture, codec, sample);
  length = fixture.good_length;
  for (at = 0; at < length; at += at < 512 || at + 64 > length ? 1 : 97) {
    frame = buffer_end (BUFFER_FRAME, length);
    memcpy (frame, fixture.good, length);
    frame[at] ^= mask;
    decompress (&fixture, frame, length, LENGTH);
  }
  teardown (&fixture);
}

static void
test_damaged (void **state)
{
  int sample;

  for (sample = 0; sample < SAMPLE_KINDS; sample++) {
    damaged (*state, (enum sample) sample, 0x01);
    damaged (*state, (enum sample) sample, 0x80);
    damaged (*state, (enum sample) sample, 0xff);
  }
}

/* The first HEAD bytes of a good frame, then noise. */
static void
test_noise (void **state)
{
  static struct fixture fixture;
  uint32_t random = 99;
  int i;

  setup (&fixture, *state, SAMPLE_MIXED);
  for (i = 0; i < 2000; i++) {
    size_t head = next_random (&random) % 32;
    size_t length = head + next_random (&random) % 2000;
    uint8_t *frame = buffer_end (BUFFER_FRAME, length);

    sample_fill (SAMPLE_RANDOM, next_random (&random), frame, length);
    memcpy (frame, fixture.good, head);
    decompress (&fixture, frame, length, LENGTH);
  }
  teardown (&fixture);
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_truncated),
    cmocka_unit_test (test_more_than_one_frame),
    cmocka_unit_test (test_other_length),
    cmocka_unit_test (test_damaged),
    cmocka_unit_test (test_noise),
  };

  return run_for_shipped (tests, sizeof tests / sizeof tests[0]);
}
