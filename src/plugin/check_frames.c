/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conformance checks: frames give back what went in, whatever the room. */

#include <config.h>

#include <string.h>

#include "check_private.h"

/* Lengths around what codecs and pages are made of. */
static const size_t lengths[] = {
  1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 255, 256, 257, 1000,
  4095, 4096, 4097, 8192, 12288, 32767, 32768, 65535, 65536, 65537, 131072,
  262144, 524287, 1048575, 1048576,
};

#define LENGTHS (sizeof lengths / sizeof lengths[0])

static void
round_trip (struct check_run *run, struct iopress_codec_context *context,
            enum content content, size_t length)
{
  struct kept frame;

  check_input (run, content, length, length);
  check_frame (run, context, length, &frame);
  /* Nothing that may be taken for what is to come. */
  memset (guarded_place (&run->output, length), 0x69, length);
  check_gives_back (run, context, &frame, length);
  check_release (&frame);
}

void
check_round_trips (struct check_run *run)
{
  struct iopress_codec_context *context;
  int content;
  size_t i;

  check_buffers_open (run, CHECK_CHUNK);
  context = check_open (run, run->ops->level_default, "", CHECK_CHUNK);
  for (content = 0; content < CONTENT_KINDS; content++)
    for (i = 0; i < LENGTHS; i++)
      round_trip (run, context, (enum content) content, lengths[i]);
  check_close (run, context);
}

/* What one level makes a context of another reads, and the other way. */
static void
try_level (struct check_run *run, int level,
           struct iopress_codec_context *other)
{
  struct iopress_codec_context *context;
  struct kept frame;
  int content;

  context = check_open (run, level, "", CHECK_SMALL);
  for (content = 0; content < CONTENT_KINDS; content++) {
    check_input (run, (enum content) content, 3, CHECK_SMALL);
    check_frame (run, context, CHECK_SMALL, &frame);
    check_gives_back (run, context, &frame, CHECK_SMALL);
    check_gives_back (run, other, &frame, CHECK_SMALL);
    check_release (&frame);
  }
  check_frame (run, other, CHECK_SMALL, &frame);
  check_gives_back (run, context, &frame, CHECK_SMALL);
  check_release (&frame);
  check_close (run, context);
}

void
check_levels (struct check_run *run)
{
  struct iopress_codec_context *other;
  unsigned int i;
  int level;

  check_buffers_open (run, CHECK_SMALL);
  other = check_open (run, run->ops->level_default, "", CHECK_SMALL);
  for (i = 0; check_level (run->ops, i, &level); i++)
    try_level (run, level, other);
  check_close (run, other);
}

/* Lengths that a table or an offset may not be made for, of which each level
 * gets the largest and one other.
 */
static const size_t large[] = { (2u << 20) + 4096, (8u << 20) + 4097 };

/* What was packed with LEVEL and PARAMETERS comes back in OTHER, too. */
static void
try_large (struct check_run *run, int level, const char *parameters,
           struct iopress_codec_context *other, size_t length)
{
  struct iopress_codec_context *context;
  struct kept frame;

  context = check_open (run, level, parameters, CHECK_LARGE);
  round_trip (run, context, CONTENT_SPARSE, length);
  check_input (run, CONTENT_SPARSE, 1, CHECK_LARGE);
  check_frame (run, context, CHECK_LARGE, &frame);
  check_gives_back (run, other, &frame, CHECK_LARGE);
  check_release (&frame);
  check_close (run, context);
}

/* A context of each chunk size that there can be. */
static void
try_chunks (struct check_run *run)
{
  struct iopress_codec_context *context;
  size_t chunk;

  for (chunk = CHECK_SMALL; chunk <= CHECK_LARGE; chunk *= 2) {
    context = check_open (run, run->ops->level_default, "", chunk);
    round_trip (run, context, CONTENT_SPARSE, chunk);
    check_close (run, context);
  }
}

void
check_large (struct check_run *run)
{
  int level = run->ops->level_default;
  struct iopress_codec_context *context;
  char text[CHECK_TEXT_BYTES];
  unsigned int i;

  check_buffers_open (run, CHECK_LARGE);
  try_chunks (run);
  context = check_open (run, level, "", CHECK_LARGE);
  round_trip (run, context, CONTENT_ZEROS, CHECK_LARGE);
  round_trip (run, context, CONTENT_PAGES, CHECK_LARGE);
  round_trip (run, context, CONTENT_PAGES, 4096);
  for (i = 0; check_text (run->ops, i, text); i++)
    try_large (run, level, text, context, large[i % 2]);
  for (i = 0; check_level (run->ops, i, &level); i++)
    try_large (run, level, "", context, large[i % 2]);
  check_close (run, context);
}

/* Room for the frame and no byte more, and for a byte less.  A library may want
 * more room to work in.
 */
static void
try_exact_room (struct check_run *run, struct iopress_codec_context *context,
                size_t length)
{
  struct kept frame;
  size_t result;

  check_frame (run, context, length, &frame);
  result = check_compress (run, context, length, frame.length);
  if (result != frame.length && result != IOPRESS_CODEC_NO_ROOM)
    check_fail (run, ".compress of %zu bytes into the %zu of its frame "
                "returned %zd", length, frame.length, (ssize_t) result);
  if (result == frame.length &&
      memcmp (guarded_place (&run->frame, result), frame.bytes, result) != 0)
    check_fail (run, ".compress of %zu bytes makes another frame where it just "
                "fits", length);
  result = check_compress (run, context, length, frame.length - 1);
  if (result != IOPRESS_CODEC_NO_ROOM)
    check_fail (run, ".compress of %zu bytes with a byte less room than its "
                "frame of %zu bytes returned %zd, not IOPRESS_CODEC_NO_ROOM",
                length, frame.length, (ssize_t) result);
  check_gives_back (run, context, &frame, length);
  check_release (&frame);
}

void
check_exact_room (struct check_run *run)
{
  static const size_t some[] = { 1, 17, 4096, 20000, CHECK_SMALL };
  struct iopress_codec_context *context;
  int content;
  size_t i;

  check_buffers_open (run, CHECK_SMALL);
  context = check_open (run, run->ops->level_default, "", CHECK_SMALL);
  for (content = 0; content < CONTENT_KINDS; content++)
    for (i = 0; i < sizeof some / sizeof some[0]; i++) {
      check_input (run, (enum content) content, i, some[i]);
      try_exact_room (run, context, some[i]);
    }
  check_close (run, context);
}

static void
try_no_room (struct check_run *run, struct iopress_codec_context *context,
             size_t length, size_t room)
{
  size_t result = check_compress (run, context, length, room);

  if (result != IOPRESS_CODEC_NO_ROOM)
    check_fail (run, ".compress of %zu bytes into %zu returned %zd, not "
                "IOPRESS_CODEC_NO_ROOM", length, room, (ssize_t) result);
}

void
check_no_room (struct check_run *run)
{
  struct iopress_codec_context *context;
  struct kept frame;
  int content;
  size_t room;

  check_buffers_open (run, CHECK_SMALL);
  context = check_open (run, run->ops->level_default, "", CHECK_SMALL);
  for (content = 0; content < CONTENT_KINDS; content++) {
    check_input (run, (enum content) content, 5, CHECK_SMALL);
    check_frame (run, context, CHECK_SMALL, &frame);
    for (room = 0; room < frame.length; room += room < 40 ? 1 : room / 3)
      try_no_room (run, context, CHECK_SMALL, room);
    /* It can be used on. */
    check_gives_back (run, context, &frame, CHECK_SMALL);
    check_frame (run, context, CHECK_SMALL, NULL);
    check_release (&frame);
  }
  check_close (run, context);
}

static void
try_random (struct check_run *run, int level)
{
  struct iopress_codec_context *context;
  size_t length;

  context = check_open (run, level, "", CHECK_CHUNK);
  for (length = 1; length <= 4 * CHECK_SMALL; length += length / 2 + 1)
    round_trip (run, context, CONTENT_RANDOM, length);
  check_close (run, context);
}

/* A bound may be too small for many blocks only. */
static void
try_random_large (struct check_run *run, int level, size_t length)
{
  struct iopress_codec_context *context;

  context = check_open (run, level, "", CHECK_LARGE);
  check_input (run, CONTENT_RANDOM, 18, length);
  check_frame (run, context, length, NULL);
  check_close (run, context);
}

void
check_incompressible (struct check_run *run)
{
  unsigned int i;
  int level;

  check_buffers_open (run, CHECK_LARGE);
  for (i = 0; check_level (run->ops, i, &level); i++)
    try_random (run, level);
  try_random_large (run, run->ops->level_default, CHECK_LARGE);
  try_random_large (run, run->ops->level_min, (8u << 20) + 4096);
  try_random_large (run, run->ops->level_max, (8u << 20) + 4096);
}
