/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conformance check: a codec gets along with memory, as it has to. */

#include <config.h>

#include <pthread.h>
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
  struct iopress_codec_context *context;
  const uint8_t *input;
  uint8_t *frame, *output;
  size_t length, room;
  size_t packed, unpacked;
  struct error err;
  char denied[64];
};

/* It calls nothing but the plugin: the check itself needs more than memory. */
static void *
work (void *opaque)
{
  struct confined *confined = opaque;
  const char *denied;
  int i;

  if (memory_only_enter (confined->confinement, &confined->err) < 0)
    return NULL;
  for (i = 0; i < ROUNDS; i++) {
    confined->packed =
      confined->ops->compress (confined->context, confined->input,
                               confined->length, confined->frame,
                               confined->room);
    if (confined->packed <= confined->room)
      confined->unpacked =
        confined->ops->decompress (confined->context, confined->frame,
                                   confined->packed, confined->output,
                                   confined->length);
  }
  denied = memory_only_denied ();
  if (denied != NULL)
    strncpy (confined->denied, denied, sizeof confined->denied - 1);
  return NULL;
}

static void
check_result (struct check_run *run, const struct confined *confined)
{
  if (confined->err.kind != ERROR_NONE)
    check_fail (run, "%s", confined->err.what);
  if (confined->denied[0] != '\0')
    check_fail (run, ".compress or .decompress calls %s, which iopress denies "
                "to codecs", confined->denied);
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
    .length = CHECK_CHUNK,
    .room = check_bound (run, CHECK_CHUNK),
  };
  pthread_t thread;

  confined.context = check_open (run, level, "", CHECK_CHUNK);
  confined.input = guarded_end (&run->input, CHECK_CHUNK);
  confined.frame = malloc (confined.room);
  confined.output = malloc (confined.length);
  if (confined.frame == NULL || confined.output == NULL)
    check_fail (run, "no memory for the output");
  check_input (run, CONTENT_PAGES, 17, CHECK_CHUNK);
  check_begin (run, 2 * ROUNDS * CHECK_CHUNK,
               ".compress or .decompress of %zu bytes, confined to memory",
               CHECK_CHUNK);
  if (thread_start (&thread, work, &confined) != 0)
    check_fail (run, "a thread cannot be started");
  pthread_join (thread, NULL);
  check_end (run);
  check_result (run, &confined);
  free (confined.frame);
  free (confined.output);
  check_close (run, confined.context);
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
