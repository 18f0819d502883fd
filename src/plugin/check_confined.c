/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conformance check: a codec gets along with memory, as it has to. */

#include <config.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_private.h"
#include "sandbox/memory_only.h"
#include "util/thread.h"

#define ROUNDS 4

/* What the confined thread works with, and what came of it. */
struct confined {
  const struct iopress_codec *ops;
  const struct memory_only *confinement;
  int level;
  const uint8_t *input;
  uint8_t *frame, *output;
  size_t length, room, packed, unpacked;
  struct error err;
  char denied[96];
};

/* Whether FUNCTION, which has returned, was denied something. */
static bool
was_denied (struct confined *confined, const char *function)
{
  const char *call = memory_only_denied ();

  if (call != NULL)
    snprintf (confined->denied, sizeof confined->denied, "%s calls %s",
              function, call);
  return call != NULL;
}

static bool
use (struct confined *confined, struct iopress_codec_context *context)
{
  const struct iopress_codec *ops = confined->ops;

  confined->packed = ops->compress (context, confined->input,
                                    confined->length, confined->frame,
                                    confined->room);
  if (was_denied (confined, ".compress") || confined->packed > confined->room)
    return false;
  confined->unpacked = ops->decompress (context, confined->frame,
                                        confined->packed, confined->output,
                                        confined->length);
  if (was_denied (confined, ".decompress"))
    return false;
  if (ops->set_level != NULL)
    ops->set_level (context, confined->level);
  if (was_denied (confined, ".set_level"))
    return false;
  if (ops->is_frame != NULL)
    ops->is_frame (confined->frame, confined->packed);
  return !was_denied (confined, ".is_frame");
}

/* It calls nothing but the plugin: the check itself needs more than memory. */
static void *
work (void *opaque)
{
  struct confined *confined = opaque;
  struct iopress_codec_context *context;
  int i;

  if (memory_only_enter (confined->confinement, &confined->err) < 0)
    return NULL;
  context = confined->ops->open (confined->level, "", confined->length);
  if (was_denied (confined, ".open") || context == NULL)
    return NULL;
  for (i = 0; i < ROUNDS && use (confined, context); i++)
    ;
  confined->ops->close (context);
  if (confined->denied[0] == '\0')
    was_denied (confined, ".close");
  return NULL;
}

static void
check_result (struct check_run *run, const struct confined *confined)
{
  if (confined->err.kind != ERROR_NONE)
    check_fail (run, "%s", confined->err.what);
  if (confined->denied[0] != '\0')
    check_fail (run, "%s, which iopress denies to codecs", confined->denied);
  if (confined->unpacked != confined->length ||
      memcmp (confined->output, confined->input, confined->length) != 0)
    check_fail (run, "%zu bytes do not come back where the codec gets nothing "
                "but memory", confined->length);
}

static void
try_level (struct check_run *run, const struct memory_only *confinement,
           int level)
{
  struct confined confined = {
    .ops = run->ops,
    .confinement = confinement,
    .level = level,
    .length = CHECK_CHUNK,
    .room = check_bound (run, CHECK_CHUNK),
  };
  pthread_t thread;

  confined.input = guarded_place (&run->input, CHECK_CHUNK);
  confined.frame = malloc (confined.room);
  confined.output = malloc (confined.length);
  if (confined.frame == NULL || confined.output == NULL)
    check_fail (run, "no memory for the output");
  check_input (run, CONTENT_PAGES, 17, CHECK_CHUNK);
  check_begin (run, 2 * ROUNDS * CHECK_CHUNK,
               "its functions, level %d, where they get only memory", level);
  if (thread_start (&thread, work, &confined) != 0)
    check_fail (run, "a thread cannot be started");
  pthread_join (thread, NULL);
  check_end (run);
  check_result (run, &confined);
  free (confined.frame);
  free (confined.output);
}

void
check_confined (struct check_run *run)
{
  struct memory_only confinement;
  struct error err = { 0 };

  if (memory_only_available (&err) < 0)
    check_skip (run, "%s", err.what);
  if (memory_only_prepare (-1, &confinement, &err) < 0)
    check_fail (run, "%s", err.what);
  check_buffers_open (run, CHECK_CHUNK);
  try_level (run, &confinement, run->ops->level_min);
  try_level (run, &confinement, run->ops->level_default);
  try_level (run, &confinement, run->ops->level_max);
}
