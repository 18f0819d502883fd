/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls of a plugin that is checked, each with an end to its time. */

#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "check_private.h"

/* Seconds that one call may take of the processors, and then for each MiB; and
 * how many times that may pass.
 */
#define SECONDS 4
#define SECONDS_MIB 3
#define PATIENCE 15

#define LEVELS_MAX 32

void
check_arm (size_t length)
{
  struct itimerval timer = {
    .it_value.tv_sec = SECONDS + (time_t) (length >> 20) * SECONDS_MIB,
  };

  /* Both signals end the child. */
  setitimer (ITIMER_PROF, &timer, NULL);
  alarm ((unsigned int) timer.it_value.tv_sec * PATIENCE);
}

void
check_disarm (void)
{
  static const struct itimerval none;

  setitimer (ITIMER_PROF, &none, NULL);
  alarm (0);
}

static void __attribute__ ((format (printf, 2, 3)))
doing (struct check_run *run, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  vsnprintf (run->note->doing, sizeof run->note->doing, format, arguments);
  va_end (arguments);
}

struct iopress_codec_context *
check_open (struct check_run *run, int level, const char *parameters,
            size_t chunk)
{
  struct iopress_codec_context *context;

  doing (run, "in .open, level %d, parameters \"%s\", chunks of %zu bytes",
         level, parameters, chunk);
  check_arm (chunk);
  context = run->ops->open (level, parameters, chunk);
  check_disarm ();
  if (context == NULL)
    check_fail (run, ".open gave no context for level %d, parameters \"%s\", "
                "chunks of %zu bytes", level, parameters, chunk);
  return context;
}

void
check_close (struct check_run *run, struct iopress_codec_context *context)
{
  doing (run, "in .close");
  check_arm (0);
  run->ops->close (context);
  check_disarm ();
}

void
check_input (struct check_run *run, enum content content, uint64_t seed,
             size_t length)
{
  content_fill (content, seed, guarded_end (&run->input, length), length);
}

size_t
check_compress (struct check_run *run,
                struct iopress_codec_context *context, size_t length,
                size_t room)
{
  const uint8_t *input = guarded_end (&run->input, length);
  uint8_t *frame = guarded_end (&run->frame, room);
  size_t result;

  doing (run, "in .compress, %zu bytes into %zu", length, room);
  guarded_protect (&run->input, true);
  check_arm (length);
  result = run->ops->compress (context, input, length, frame, room);
  check_disarm ();
  guarded_protect (&run->input, false);
  if (!guarded_is_intact (&run->frame, room))
    check_fail (run, ".compress wrote before its output");
  if (result > room && result != IOPRESS_CODEC_ERROR &&
      result != IOPRESS_CODEC_NO_ROOM)
    check_fail (run, ".compress returned %zu, with room for %zu bytes",
                result, room);
  return result;
}

/* What the plugin says of a failure, to be shown. */
static const char *
reason (struct check_run *run, struct iopress_codec_context *context)
{
  doing (run, "in .error_text");
  return codec_error_text (run->codec, context);
}

void
check_frame (struct check_run *run, struct iopress_codec_context *context,
             size_t length, struct kept *kept)
{
  size_t room = run->ops->bound (length);
  size_t result = check_compress (run, context, length, room);

  if (result == IOPRESS_CODEC_NO_ROOM)
    check_fail (run, ".compress of %zu bytes finds no room in the %zu of "
                ".bound", length, room);
  if (result == IOPRESS_CODEC_ERROR)
    check_fail (run, ".compress of %zu bytes failed: %.100s", length,
                reason (run, context));
  if (result == 0)
    check_fail (run, ".compress made an empty frame of %zu bytes", length);
  if (kept == NULL)
    return;
  kept->length = result;
  kept->bytes = malloc (result);
  if (kept->bytes == NULL)
    check_fail (run, "no memory to keep a frame of %zu bytes", result);
  memcpy (kept->bytes, run->frame.map + (size_t) sysconf (_SC_PAGESIZE) +
          run->frame.bytes - room, result);
}

void
check_release (struct kept *kept)
{
  free (kept->bytes);
}

bool
kept_same (const struct kept *a, const struct kept *b)
{
  return a->length == b->length && memcmp (a->bytes, b->bytes, a->length) == 0;
}

size_t
check_decompress (struct check_run *run,
                  struct iopress_codec_context *context,
                  const void *frame, size_t frame_length, size_t length)
{
  uint8_t *input = guarded_end (&run->frame, frame_length);
  uint8_t *output = guarded_end (&run->output, length);
  size_t result;

  memcpy (input, frame, frame_length);
  doing (run, "in .decompress, a frame of %zu bytes to %zu", frame_length,
         length);
  guarded_protect (&run->frame, true);
  check_arm (length);
  result = run->ops->decompress (context, input, frame_length, output, length);
  check_disarm ();
  guarded_protect (&run->frame, false);
  if (!guarded_is_intact (&run->output, length))
    check_fail (run, ".decompress wrote before its output");
  if (result != length && result != IOPRESS_CODEC_ERROR)
    check_fail (run, ".decompress returned %zu for a result of %zu bytes",
                result, length);
  if (result == IOPRESS_CODEC_ERROR)
    reason (run, context);
  return result;
}

void
check_gives_back (struct check_run *run,
                  struct iopress_codec_context *context,
                  const struct kept *kept, size_t length)
{
  if (check_decompress (run, context, kept->bytes, kept->length, length) !=
      length)
    check_fail (run, ".decompress of a frame of %zu bytes to %zu failed: "
                "%.100s", kept->length, length, reason (run, context));
  if (memcmp (guarded_end (&run->output, length),
              guarded_end (&run->input, length), length) != 0)
    check_fail (run, ".decompress of a frame of %zu bytes gave other bytes "
                "than .compress was given", kept->length);
}

bool
check_level (const struct iopress_codec *ops, unsigned int index, int *level)
{
  int64_t range = (int64_t) ops->level_max - ops->level_min;
  int64_t steps = range < LEVELS_MAX ? range : LEVELS_MAX - 1;

  if (index > steps)
    return false;
  *level = (int) (ops->level_min + (steps > 0 ? range * index / steps : 0));
  return true;
}
