/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conformance checks: what a codec says of itself. */

#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check_private.h"
#include "plugin/parameters.h"

/* Of no length less than of a shorter one, of none absurdly much, and of none
 * less than itself: there are not enough shorter frames for all inputs.
 */
static void
try_bounds (struct check_run *run)
{
  size_t length, step, bound, before = 0;

  for (length = 1; length <= CHECK_LARGE; length += step) {
    bound = check_bound (run, length);
    if (bound < before)
      check_fail (run, ".bound of %zu bytes, %zu, is less than that of fewer "
                  "bytes", length, bound);
    if (bound < length)
      check_fail (run, ".bound of %zu bytes is %zu, but no format makes every "
                  "input smaller", length, bound);
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

  check_version (run);
  version = check_version (run);
  if ((int64_t) run->ops->level_max - run->ops->level_min > 1000000)
    check_fail (run, "there are more than a million levels: .level_min is %d, "
                ".level_max %d", run->ops->level_min, run->ops->level_max);
  try_bounds (run);
  check_measured (run, "%s %s, levels %d to %d, default %d", run->ops->name,
                  version, run->ops->level_min, run->ops->level_max,
                  run->ops->level_default);
}

/* How many texts there are for PARAMETER. */
static unsigned int
count_texts (const struct iopress_codec_parameter *parameter)
{
  const char *word = parameter->choices;
  unsigned int count = 1;

  if (parameter->type != IOPRESS_CODEC_CHOICE)
    return parameter->type == IOPRESS_CODEC_INTEGER ? 2 : 1;
  while ((word = strchr (word, '|')) != NULL) {
    word++;
    count++;
  }
  return count;
}

/* The one that INDEX counts. */
static void
write_text (const struct iopress_codec_parameter *parameter,
            unsigned int index, char text[CHECK_TEXT_BYTES])
{
  const char *word = parameter->choices;

  if (parameter->type == IOPRESS_CODEC_INTEGER)
    snprintf (text, CHECK_TEXT_BYTES, "%s=%" PRId64, parameter->key,
              index == 0 ? parameter->minimum : parameter->maximum);
  else if (parameter->type == IOPRESS_CODEC_FLAG)
    snprintf (text, CHECK_TEXT_BYTES, "%s", parameter->key);
  else {
    while (index-- > 0)
      word = strchr (word, '|') + 1;
    snprintf (text, CHECK_TEXT_BYTES, "%s=%.*s", parameter->key,
              (int) strcspn (word, "|"), word);
  }
}

bool
check_text (const struct iopress_codec *ops, unsigned int index,
            char text[CHECK_TEXT_BYTES])
{
  const struct iopress_codec_parameter *parameter;
  unsigned int count;
  size_t i;

  for (i = 0; (parameter = codec_parameter (ops, i)) != NULL; i++) {
    count = count_texts (parameter);
    if (index < count) {
      write_text (parameter, index, text);
      return true;
    }
    index -= count;
  }
  return false;
}

static void
expect_accepted (struct check_run *run, const char *text)
{
  struct codec_choice choice = { .level = 0 };
  struct error err = { 0 };
  int refused;

  if (strlen (text) > IOPRESS_CODEC_PARAMETERS_MAX)
    check_fail (run, "parameter \"%s\" is longer than %d characters", text,
                IOPRESS_CODEC_PARAMETERS_MAX);
  strcpy (choice.parameters, text);
  check_begin (run, 0, ".check_parameters of \"%s\"", text);
  refused = codec_choice_check (run->codec, &choice, &err);
  check_end (run);
  if (refused != 0)
    check_fail (run, "\"%s\" is described and refused: %.200s", text,
                err.what);
}

/* With it and without, each reads what the other has made. */
static void
try_parameter (struct check_run *run, const char *text, int level)
{
  struct iopress_codec_context *context, *plain;
  struct kept frame;

  context = check_open (run, level, text, CHECK_SMALL);
  plain = check_open (run, run->ops->level_default, "", CHECK_SMALL);
  check_frame (run, context, CHECK_SMALL, &frame);
  check_gives_back (run, context, &frame, CHECK_SMALL);
  check_gives_back (run, plain, &frame, CHECK_SMALL);
  check_release (&frame);
  check_frame (run, plain, CHECK_SMALL, &frame);
  check_gives_back (run, context, &frame, CHECK_SMALL);
  check_release (&frame);
  check_close (run, plain);
  check_close (run, context);
}

/* A codec that describes none must refuse what cannot be one. */
static void
try_nonsense (struct check_run *run)
{
  char *message = (char *) guarded_place (&run->output, 32);
  int result;

  memset (message, 'm', 32);
  check_begin (run, 0, ".check_parameters of \"~no~such~parameter~\"");
  result = run->ops->check_parameters (run->ops->level_default,
                                       "~no~such~parameter~", message, 32);
  check_end (run);
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
  char text[CHECK_TEXT_BYTES];
  unsigned int i;

  if (ops->parameters == NULL && ops->check_parameters == NULL)
    check_skip (run, "the codec takes no parameters");
  check_buffers_open (run, CHECK_SMALL);
  check_input (run, CONTENT_PAGES, 6, CHECK_SMALL);
  for (i = 0; check_text (ops, i, text); i++) {
    expect_accepted (run, text);
    try_parameter (run, text, ops->level_default);
    try_parameter (run, text, ops->level_min);
    try_parameter (run, text, ops->level_max);
  }
  if (ops->parameters == NULL)
    try_nonsense (run);
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
  if (!check_knows (run, frame.bytes, frame.length < IOPRESS_CODEC_FRAME_START
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
  if (check_knows (run, frame.bytes, IOPRESS_CODEC_FRAME_START))
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
      if (check_knows (run, bytes, i))
        check_fail (run, ".is_frame takes %u bytes of %s for a frame", i,
                    content_name ((enum content) content));
    }
  codec_each (run->reference_folder, expect_foreign, run, &err);
}
