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
#include "plugin/parameters.h"

/* Seconds that one call may take of the processors, and then for each MiB; and
 * how many times that may pass.
 */
#define SECONDS 4
#define SECONDS_MIB 3
#define PATIENCE 15

#define LEVELS_MAX 32
#define VERSION_MAX 60

static void
set_timers (time_t seconds)
{
  struct itimerval timer = { .it_value.tv_sec = seconds };

  /* Both signals end the child. */
  setitimer (ITIMER_PROF, &timer, NULL);
  alarm ((unsigned int) seconds * PATIENCE);
}

void
check_begin (struct check_run *run, size_t length, const char *format, ...)
{
  va_list arguments;

  if (run->beside)
    return;
  va_start (arguments, format);
  vsnprintf (run->note->call, sizeof run->note->call, format, arguments);
  va_end (arguments);
  run->note->inside = true;
  set_timers (SECONDS + (time_t) (length >> 20) * SECONDS_MIB);
}

void
check_end (struct check_run *run)
{
  if (run->beside)
    return;
  set_timers (0);
  run->note->inside = false;
}

void __attribute__ ((noinline))
check_clobber_stack (void)
{
  static _Thread_local unsigned char byte;
  volatile unsigned char stack[16384];
  size_t i;

  byte = (unsigned char) (byte * 5u + 1u);
  for (i = 0; i < sizeof stack; i++)
    stack[i] = byte;
}

struct iopress_codec_context *
check_open (struct check_run *run, int level, const char *parameters,
            size_t chunk)
{
  struct iopress_codec_context *context;

  check_begin (run, chunk,
               ".open, level %d, parameters \"%s\", chunks of %zu bytes",
               level, parameters, chunk);
  context = run->ops->open (level, parameters, chunk);
  check_end (run);
  if (context == NULL)
    check_fail (run, ".open gave no context for level %d, parameters \"%s\", "
                "chunks of %zu bytes", level, parameters, chunk);
  return context;
}

void
check_close (struct check_run *run, struct iopress_codec_context *context)
{
  check_begin (run, 0, ".close");
  run->ops->close (context);
  check_end (run);
}

void
check_input (struct check_run *run, enum content content, uint64_t seed,
             size_t length)
{
  content_fill (content, seed, guarded_place (&run->input, length), length);
}

size_t
check_compress (struct check_run *run,
                struct iopress_codec_context *context, size_t length,
                size_t room)
{
  const uint8_t *input = guarded_place (&run->input, length);
  uint8_t *frame = guarded_place (&run->frame, room);
  size_t result;

  guarded_protect (&run->input, true);
  check_clobber_stack ();
  check_begin (run, length, ".compress, %zu bytes into %zu", length, room);
  result = run->ops->compress (context, input, length, frame, room);
  check_end (run);
  guarded_protect (&run->input, false);
  if (!guarded_is_intact (&run->frame, room))
    check_fail (run, ".compress wrote beside its output");
  if (result > room && result != IOPRESS_CODEC_ERROR &&
      result != IOPRESS_CODEC_NO_ROOM)
    check_fail (run, ".compress returned %zu, with room for %zu bytes",
                result, room);
  return result;
}

/* That it can be read is part of the call. */
const char *
check_reason (struct check_run *run, struct iopress_codec_context *context)
{
  static _Thread_local char text[128];

  check_begin (run, 0, ".error_text, or where its text is read");
  snprintf (text, sizeof text, "%s", codec_error_text (run->codec, context));
  check_end (run);
  return text;
}

const char *
check_version (struct check_run *run)
{
  const char *version;
  bool shown;

  check_begin (run, 0, ".version, or where its text is read");
  version = run->ops->version ();
  shown = codec_text_is_line (version) && strlen (version) <= VERSION_MAX;
  check_end (run);
  if (!shown)
    check_fail (run, ".version does not give a line of ASCII of 1 to %d "
                "characters", VERSION_MAX);
  return version;
}

size_t
check_bound (struct check_run *run, size_t length)
{
  size_t bound;

  check_begin (run, 0, ".bound of %zu bytes", length);
  bound = run->ops->bound (length);
  check_end (run);
  return bound;
}

bool
check_knows (struct check_run *run, const void *bytes, size_t length)
{
  uint8_t *start = guarded_place (&run->output, length);
  int result;

  memcpy (start, bytes, length);
  check_begin (run, 0, ".is_frame, %zu bytes", length);
  result = run->ops->is_frame (start, length);
  check_end (run);
  if (result != 0 && result != 1)
    check_fail (run, ".is_frame returned %d, neither 1 nor 0", result);
  return result == 1;
}

void
check_set_level (struct check_run *run,
                 struct iopress_codec_context *context, int level)
{
  int result;

  check_begin (run, 0, ".set_level to %d", level);
  result = run->ops->set_level (context, level);
  check_end (run);
  if (result != 0)
    check_fail (run, ".set_level to %d returned %d", level, result);
}

void
check_frame (struct check_run *run, struct iopress_codec_context *context,
             size_t length, struct kept *kept)
{
  size_t room = check_bound (run, length);
  size_t result = check_compress (run, context, length, room);

  if (result == IOPRESS_CODEC_NO_ROOM)
    check_fail (run, ".compress of %zu bytes finds no room in the %zu of "
                ".bound", length, room);
  if (result == IOPRESS_CODEC_ERROR)
    check_fail (run, ".compress of %zu bytes failed: %s", length,
                check_reason (run, context));
  if (result == 0)
    check_fail (run, ".compress made an empty frame of %zu bytes", length);
  if (kept == NULL)
    return;
  kept->length = result;
  kept->bytes = malloc (result);
  if (kept->bytes == NULL)
    check_fail (run, "no memory to keep a frame of %zu bytes", result);
  memcpy (kept->bytes, guarded_place (&run->frame, room), result);
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
  uint8_t *input = guarded_place (&run->frame, frame_length);
  uint8_t *output = guarded_place (&run->output, length);
  size_t result;

  memcpy (input, frame, frame_length);
  guarded_protect (&run->frame, true);
  check_begin (run, length, ".decompress, a frame of %zu bytes to %zu",
               frame_length, length);
  result = run->ops->decompress (context, input, frame_length, output, length);
  check_end (run);
  guarded_protect (&run->frame, false);
  if (!guarded_is_intact (&run->output, length))
    check_fail (run, ".decompress wrote beside its output");
  if (result != length && result != IOPRESS_CODEC_ERROR)
    check_fail (run, ".decompress returned %zu for a result of %zu bytes",
                result, length);
  if (result == IOPRESS_CODEC_ERROR)
    check_reason (run, context);
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
                "%s", kept->length, length, check_reason (run, context));
  if (memcmp (guarded_place (&run->output, length),
              guarded_place (&run->input, length), length) != 0)
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
