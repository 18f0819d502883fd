/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every shipped codec: round trips, bounds, repeatable frames. */

#include <config.h>

#include <string.h>

#include "shipped.h"

#define KIB ((size_t) 1 << 10)
#define MIB ((size_t) 1 << 20)

static void
round_trips (const struct codec *codec, int level, size_t chunk_size,
             const size_t *lengths, size_t count)
{
  struct iopress_codec_context *context =
    open_context (codec, level, chunk_size);
  size_t i, frame_length;
  int sample;

  for (i = 0; i < count; i++)
    for (sample = 0; sample < SAMPLE_KINDS; sample++) {
      uint8_t *frame = make_frame (codec, context, (enum sample) sample, 1,
                                   lengths[i], &frame_length);

      assert_decompresses (codec, context, frame, frame_length, lengths[i]);
    }
  codec->ops.close (context);
}

static void
test_description (void **state)
{
  const struct codec *codec = *state;
  const char *version = codec->ops.version ();

  assert_true (version != NULL && version[0] >= '0' && version[0] <= '9');
  assert_true (codec->ops.level_min < codec->ops.level_max);
}

static void
test_every_level (void **state)
{
  static const size_t lengths[] = {
    1, 4 * KIB, 64 * KIB, 100 * KIB + 1, 256 * KIB,
  };
  const struct codec *codec = *state;
  int level;

  for (level = codec->ops.level_min; level <= codec->ops.level_max; level++)
    round_trips (codec, level, 256 * KIB, lengths,
                 sizeof lengths / sizeof lengths[0]);
}

static void
test_default_chunk (void **state)
{
  static const size_t lengths[] = {
    4 * KIB, 64 * KIB - 1, 256 * KIB - 1, 1020 * KIB, MIB - 1, MIB,
  };
  const struct codec *codec = *state;

  round_trips (codec, codec->ops.level_default, MIB, lengths,
               sizeof lengths / sizeof lengths[0]);
}

static void
test_largest_chunk (void **state)
{
  static const size_t lengths[] = { 16 * MIB, 5 * MIB - 4 * KIB };
  const struct codec *codec = *state;

  round_trips (codec, codec->ops.level_min, 16 * MIB, lengths, 2);
}

/* The same at the default level, which takes xz long for some samples. */
static void
test_largest_chunk_by_default (void **state)
{
  const struct codec *codec = *state;
  struct iopress_codec_context *context =
    open_context (codec, codec->ops.level_default, SAMPLE_MAX);
  size_t frame_length;
  uint8_t *frame = make_frame (codec, context, SAMPLE_MIXED, 2, SAMPLE_MAX,
                               &frame_length);

  assert_decompresses (codec, context, frame, frame_length, SAMPLE_MAX);
  codec->ops.close (context);
}

/* Compress and decompress something else, and fail in both. */
static void
use_context (const struct codec *codec,
             struct iopress_codec_context *context, uint32_t *random)
{
  uint32_t seed = next_random (random) | 1;
  size_t length = next_random (random) % (128 * KIB) + 1, frame_length;
  uint8_t *frame = make_frame (codec, context,
                               (enum sample) (seed % SAMPLE_KINDS), seed,
                               length, &frame_length);

  assert_decompresses (codec, context, frame, frame_length, length);
  codec->ops.compress (context, buffer_end (BUFFER_INPUT, length), length,
                       frame, frame_length / 2);
  codec->ops.decompress (context, frame, frame_length / 2,
                         buffer_end (BUFFER_OUTPUT, length), length);
}

/* USED gives the frame of a context that was opened with LEVEL. */
static void
same_frame (const struct codec *codec, struct iopress_codec_context *used,
            int level, size_t length)
{
  struct iopress_codec_context *fresh = open_context (codec, level, 128 * KIB);
  size_t fresh_length, used_length;
  uint8_t *frame, *copy;

  frame = make_frame (codec, fresh, SAMPLE_MIXED, 7, length, &fresh_length);
  copy = memcpy (buffer_end (BUFFER_OUTPUT, fresh_length), frame,
                 fresh_length);
  frame = make_frame (codec, used, SAMPLE_MIXED, 7, length, &used_length);
  assert_int_equal (used_length, fresh_length);
  assert_memory_equal (frame, copy, fresh_length);
  codec->ops.close (fresh);
}

static void
same_frames (const struct codec *codec, int level)
{
  struct iopress_codec_context *used = open_context (codec, level, 128 * KIB);
  uint32_t random = 12345;
  int i;

  for (i = 0; i < 6; i++) {
    size_t length = next_random (&random) % (128 * KIB) + 1;

    use_context (codec, used, &random);
    same_frame (codec, used, level, length);
  }
  codec->ops.close (used);
}

static void
test_history_leaves_no_trace (void **state)
{
  const struct codec *codec = *state;
  int level;

  for (level = codec->ops.level_min; level <= codec->ops.level_max; level++)
    same_frames (codec, level);
}

/* A context that has been at any other level before. */
static void
test_set_level (void **state)
{
  const struct codec *codec = *state;
  struct iopress_codec_context *context;
  int low = codec->ops.level_min, high = codec->ops.level_max, i;
  uint32_t random = 4321;

  if (codec->ops.set_level == NULL)
    skip ();
  context = open_context (codec, low, 128 * KIB);
  for (i = 0; i < 2 * (high - low); i++) {
    int level = i % 2 == 0 ? high - i / 2 : low + i / 2;

    assert_int_equal (codec->ops.set_level (context, level), 0);
    same_frame (codec, context, level, 100 * KIB + 1);
    use_context (codec, context, &random);
  }
  codec->ops.close (context);
}

/* Frames are told from those of others, however little there is of one. */
static void
test_is_frame (void **state)
{
  static const char *const others[] = {
    "\x28\xb5\x2f\xfd" "ZSTDZSTDZSTD", "\x04\x22\x4d\x18" "LZ4FLZ4FLZ4F",
    "\xfd" "7zXZ\0XZXZXZXZXZ", "IPRCIPRCIPRCIPRC",
  };
  const struct codec *codec = *state;
  struct iopress_codec_context *context =
    open_context (codec, codec->ops.level_default, 128 * KIB);
  unsigned int i, known = 0;
  size_t length;

  for (i = 0; i < SAMPLE_KINDS; i++) {
    uint8_t *frame = make_frame (codec, context, (enum sample) i, 3,
                                 20 * KIB, &length);

    assert_true (codec->ops.is_frame (frame, length));
    assert_true (codec->ops.is_frame (frame, IOPRESS_CODEC_FRAME_START));
    for (length = 0; length < 4; length++)
      assert_false (codec->ops.is_frame (buffer_end (BUFFER_OUTPUT, length),
                                         length));
  }
  for (i = 0; i < sizeof others / sizeof others[0]; i++)
    known += codec->ops.is_frame (others[i], 16) != 0;
  assert_int_equal (known, 1);
  codec->ops.close (context);
}

/* The frame must be refused or must fit and be complete; what is certain not
 * to fit must be refused.
 */
static void
compress_to (const struct codec *codec, struct iopress_codec_context *context,
             size_t length, size_t frame_length, size_t output_size)
{
  uint8_t *output = buffer_end (BUFFER_FRAME, output_size);
  size_t result = codec->ops.compress (context,
                                       buffer_end (BUFFER_INPUT, length),
                                       length, output, output_size);

  if (result == IOPRESS_CODEC_NO_ROOM)
    return;
  assert_true (result <= output_size);
  assert_true (output_size >= frame_length);
  assert_decompresses (codec, context, output, result, length);
}

static void
no_room (const struct codec *codec, enum sample sample)
{
  const size_t length = 128 * KIB;
  struct iopress_codec_context *context =
    open_context (codec, codec->ops.level_min, length);
  size_t frame_length, size;

  make_frame (codec, context, sample, 3, length, &frame_length);
  for (size = 0; size < frame_length; size += size / 3 + 1)
    compress_to (codec, context, length, frame_length, size);
  for (size = frame_length - 1; size < frame_length + 8; size++)
    compress_to (codec, context, length, frame_length, size);
  compress_to (codec, context, length, frame_length, length);
  codec->ops.close (context);
}

static void
test_no_room (void **state)
{
  int sample;

  for (sample = 0; sample < SAMPLE_KINDS; sample++)
    no_room (*state, (enum sample) sample);
}

static int
check (const struct codec *codec, const char *text)
{
  struct codec_choice choice;
  struct error err = { 0 };

  return codec_choice_parse (text, &choice, &err) == -1 ? -1 :
    codec_choice_check (codec, &choice, &err);
}

static const struct {
  const char *codec, *text;
  int result;
} choices[] = {
  { "zstd", "zstd", 0 },
  { "zstd", "zstd:-7", 0 },
  { "zstd", "zstd:-8", -1 },
  { "zstd", "zstd:19", 0 },
  { "zstd", "zstd:20", -1 },
  { "zstd", "zstd,long=10", 0 },
  { "zstd", "zstd:3,long=27", 0 },
  { "zstd", "zstd,long=9", -1 },
  { "zstd", "zstd,long=28", -1 },
  { "zstd", "zstd,long=", -1 },
  { "zstd", "zstd,long=+20", -1 },
  { "zstd", "zstd,long=20x", -1 },
  { "zstd", "zstd,long=99999999999999999999", -1 },
  { "zstd", "zstd,long", -1 },
  { "zstd", "zstd,extreme", -1 },
  { "lz4", "lz4:-9", 0 },
  { "lz4", "lz4:-10", -1 },
  { "lz4", "lz4:12", 0 },
  { "lz4", "lz4:13", -1 },
  { "lz4", "lz4,extreme", -1 },
  { "xz", "xz:0", 0 },
  { "xz", "xz:-1", -1 },
  { "xz", "xz:9,extreme", 0 },
  { "xz", "xz:10", -1 },
  { "xz", "xz,extrem", -1 },
  { "xz", "xz,extremely", -1 },
};

static void
test_choices (void **state)
{
  const struct codec *codec = *state;
  size_t i;

  for (i = 0; i < sizeof choices / sizeof choices[0]; i++)
    if (strcmp (codec->ops.name, choices[i].codec) == 0 &&
        check (codec, choices[i].text) != choices[i].result)
      fail_msg ("%s: not %d", choices[i].text, choices[i].result);
}

/* Parameters change frames, but any context decodes them. */
static void
test_parameters (void **state)
{
  const struct codec *codec = *state;
  const char *text = strcmp (codec->ops.name, "zstd") == 0 ? "long=27" :
    strcmp (codec->ops.name, "xz") == 0 ? "extreme" : NULL;
  struct iopress_codec_context *context, *plain;
  size_t frame_length;
  uint8_t *frame;

  if (text == NULL)
    return;
  context = codec->ops.open (codec->ops.level_default, text, MIB);
  assert_non_null (context);
  plain = open_context (codec, codec->ops.level_max, 64 * KIB);
  frame = make_frame (codec, context, SAMPLE_MIXED, 9, MIB, &frame_length);
  assert_decompresses (codec, plain, frame, frame_length, MIB);
  codec->ops.close (plain);
  codec->ops.close (context);
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_description),
    cmocka_unit_test (test_every_level),
    cmocka_unit_test (test_default_chunk),
    cmocka_unit_test (test_largest_chunk),
    cmocka_unit_test (test_largest_chunk_by_default),
    cmocka_unit_test (test_history_leaves_no_trace),
    cmocka_unit_test (test_set_level),
    cmocka_unit_test (test_is_frame),
    cmocka_unit_test (test_no_room),
    cmocka_unit_test (test_choices),
    cmocka_unit_test (test_parameters),
  };

  return run_for_shipped (tests, sizeof tests / sizeof tests[0]);
}
