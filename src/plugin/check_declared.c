/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conformance checks: what a codec says of itself. */

#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check_private.h"
#include "plugin/parameters.h"

/* Of no length less than of a shorter one, and of none absurdly much. */
static void
check_bound (struct check_run *run)
{
  size_t length, step, bound, before = 0;

  for (length = 1; length <= CHECK_LARGE; length += step) {
    check_arm (0);
    bound = run->ops->bound (length);
    check_disarm ();
    if (bound < before)
      check_fail (run, ".bound of %zu bytes, %zu, is less than that of fewer "
                  "bytes", length, bound);
    if (bound > 2 * length + CHECK_SMALL)
      check_fail (run, ".bound of %zu bytes is %zu, more than twice as much",
                  length, bound);
    before = bound;
    step = length < 5000 ? 1 : length / 64;
  }
}

void
check_values (struct check_run *run)
{
  const char *version;
  int i;

  for (i = 0; i < 2; i++) {
    check_arm (0);
    version = run->ops->version ();
    check_disarm ();
    if (!codec_text_is_line (version) || strlen (version) > 60)
      check_fail (run, ".version does not give a short line of ASCII");
  }
  if ((int64_t) run->ops->level_max - run->ops->level_min > 1000000)
    check_fail (run, "there are more than a million levels: .level_min is %d, "
                ".level_max %d", run->ops->level_min, run->ops->level_max);
  check_bound (run);
  check_measured (run, "%s %s, levels %d to %d, default %d", run->ops->name,
                  version, run->ops->level_min, run->ops->level_max,
                  run->ops->level_default);
}

static void
try_parameter (struct check_run *run, const char *text)
{
  struct codec_choice choice = { .level = 0 };
  struct iopress_codec_context *context, *plain;
  struct error err = { 0 };
  struct kept frame;

  if (strlen (text) > IOPRESS_CODEC_PARAMETERS_MAX)
    check_fail (run, "parameter \"%s\" is longer than %d characters", text,
                IOPRESS_CODEC_PARAMETERS_MAX);
  strcpy (choice.parameters, text);
  check_arm (0);
  if (codec_choice_check (run->codec, &choice, &err) < 0)
    check_fail (run, "\"%s\" is described and refused: %.200s", text,
                err.what);
  check_disarm ();
  context = check_open (run, run->ops->level_default, text, CHECK_SMALL);
  plain = check_open (run, run->ops->level_default, "", CHECK_SMALL);
  check_frame (run, context, CHECK_SMALL, &frame);
  check_gives_back (run, context, &frame, CHECK_SMALL);
  check_gives_back (run, plain, &frame, CHECK_SMALL);
  check_release (&frame);
  check_close (run, plain);
  check_close (run, context);
}

static void
try_words (struct check_run *run, const char *key, const char *choices)
{
  char text[256];
  size_t length;

  for (; *choices != '\0'; choices += length + (choices[length] == '|')) {
    length = strcspn (choices, "|");
    snprintf (text, sizeof text, "%s=%.*s", key, (int) length, choices);
    try_parameter (run, text);
  }
}

static void
try_described (struct check_run *run,
               const struct iopress_codec_parameter *parameter)
{
  char text[256];

  if (parameter->type == IOPRESS_CODEC_FLAG)
    try_parameter (run, parameter->key);
  else if (parameter->type == IOPRESS_CODEC_CHOICE)
    try_words (run, parameter->key, parameter->choices);
  else {
    snprintf (text, sizeof text, "%s=%" PRId64, parameter->key,
              parameter->minimum);
    try_parameter (run, text);
    snprintf (text, sizeof text, "%s=%" PRId64, parameter->key,
              parameter->maximum);
    try_parameter (run, text);
  }
}

/* A codec that describes none must refuse what cannot be one. */
static void
try_nonsense (struct check_run *run)
{
  char *message = (char *) guarded_end (&run->output, 32);
  int result;

  memset (message, 'm', 32);
  check_arm (0);
  result = run->ops->check_parameters (run->ops->level_default,
                                       "~no~such~parameter~", message, 32);
  check_disarm ();
  if (result != -1)
    check_fail (run, ".check_parameters returned %d for "
                "\"~no~such~parameter~\", not -1", result);
  if (memchr (message, '\0', 32) == NULL || !codec_text_is_line (message))
    check_fail (run, ".check_parameters wrote no line that ends within the "
                "message_size of 32");
}

void
check_parameters (struct check_run *run)
{
  const struct iopress_codec *ops = run->ops;
  size_t i;

  if (ops->parameters == NULL && ops->check_parameters == NULL)
    check_skip (run, "the codec takes no parameters");
  check_buffers_open (run, CHECK_SMALL);
  check_input (run, CONTENT_PAGES, 6, CHECK_SMALL);
  for (i = 0; codec_parameter (ops, i) != NULL; i++)
    try_described (run, codec_parameter (ops, i));
  if (ops->parameters == NULL)
    try_nonsense (run);
}

static bool
knows (struct check_run *run, const void *bytes, size_t length)
{
  uint8_t *start = guarded_end (&run->output, length);
  int result;

  memcpy (start, bytes, length);
  check_arm (0);
  result = run->ops->is_frame (start, length);
  check_disarm ();
  if (result != 0 && result != 1)
    check_fail (run, ".is_frame returned %d, neither 1 nor 0", result);
  return result == 1;
}

static void
expect_known (struct check_run *run, int level, enum content content,
              size_t length)
{
  struct iopress_codec_context *context;
  struct kept frame;

  context = check_open (run, level, "", CHECK_SMALL);
  check_input (run, content, 8, length);
  check_frame (run, context, length, &frame);
  if (!knows (run, frame.bytes, frame.length < IOPRESS_CODEC_FRAME_START
              ? frame.length : IOPRESS_CODEC_FRAME_START))
    check_fail (run, ".is_frame does not know a frame of level %d by its "
                "first %d bytes", level, IOPRESS_CODEC_FRAME_START);
  check_release (&frame);
  check_close (run, context);
}

/* Another codec's frame would be taken for one of this codec. */
static int
expect_foreign (void *opaque, const char *name, const struct codec *codec,
                const struct error *why)
{
  struct check_run *run = opaque;
  struct check_run other = *run;
  struct iopress_codec_context *context;
  struct kept frame;

  (void) why;
  if (codec == NULL || strcmp (name, run->ops->name) == 0)
    return 0;
  other.codec = codec;
  other.ops = &codec->ops;
  check_buffers_open (&other, CHECK_SMALL);
  context = check_open (&other, codec->ops.level_default, "", CHECK_SMALL);
  check_input (&other, CONTENT_TEXT, 1, CHECK_SMALL);
  check_frame (&other, context, CHECK_SMALL, &frame);
  if (knows (run, frame.bytes, IOPRESS_CODEC_FRAME_START))
    check_fail (run, ".is_frame takes a frame of %s for its own", name);
  check_release (&frame);
  check_close (&other, context);
  check_buffers_close (&other);
  return 0;
}

void
check_is_frame (struct check_run *run)
{
  static const size_t lengths[] = { 1, 100, 4096, CHECK_SMALL };
  uint8_t bytes[IOPRESS_CODEC_FRAME_START];
  struct error err = { 0 };
  unsigned int i;
  int content, level;

  if (run->ops->is_frame == NULL)
    check_skip (run, "the codec has no .is_frame");
  check_buffers_open (run, CHECK_SMALL);
  for (i = 0; check_level (run->ops, i, &level); i++)
    for (content = 0; content < CONTENT_KINDS; content++)
      expect_known (run, level, (enum content) content, lengths[i % 4]);
  for (content = 0; content < CONTENT_PAGES; content++)
    for (i = 0; i <= sizeof bytes; i++) {
      content_fill ((enum content) content, i, bytes, i);
      if (knows (run, bytes, i))
        check_fail (run, ".is_frame takes %u bytes of %s for a frame", i,
                    content_name ((enum content) content));
    }
  codec_each (run->reference_folder, expect_foreign, run, &err);
}
