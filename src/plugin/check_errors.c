/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conformance check: what a codec says of a failure can be shown. */

#include <config.h>

#include <stdio.h>
#include <string.h>

#include "check_private.h"
#include "plugin/parameters.h"

#define LENGTH ((size_t) 20000)

/* Stated in iopress-plugin.h. */
#define TEXT_MAX 200u

/* The text stays until the next call, wherever it stands. */
static void
expect_line (struct check_run *run, struct iopress_codec_context *context,
             const char *when)
{
  const char *text;
  bool good;

  check_begin (run, 0, ".error_text %s, or where its text is read", when);
  text = run->ops->error_text (context);
  check_clobber_stack ();
  good = text == NULL || (strnlen (text, TEXT_MAX + 1) <= TEXT_MAX &&
                          codec_text_is_line (text));
  check_end (run);
  if (!good)
    check_fail (run, ".error_text %s does not give a line of ASCII of 1 to "
                "%u characters, or NULL", when, TEXT_MAX);
}

static void
try_frame (struct check_run *run, struct iopress_codec_context *context,
           const void *frame, size_t length, size_t output_length,
           const char *when)
{
  if (check_decompress (run, context, frame, length, output_length) ==
      IOPRESS_CODEC_ERROR)
    expect_line (run, context, when);
}

/* Each way to fail has another text. */
static void
fail_in_all_ways (struct check_run *run,
                  struct iopress_codec_context *context,
                  const struct kept *frame)
{
  static const uint8_t garbage[64] = { 0x5a };
  size_t whole = frame->length, i;
  uint8_t *bytes = frame->bytes;

  check_compress (run, context, LENGTH, whole / 2);
  expect_line (run, context, "after no room");
  try_frame (run, context, garbage, sizeof garbage, LENGTH, "after garbage");
  try_frame (run, context, bytes, 0, LENGTH, "after an empty frame");
  try_frame (run, context, bytes, whole / 2, LENGTH, "after half a frame");
  try_frame (run, context, bytes, whole, LENGTH - 1, "after a long result");
  try_frame (run, context, bytes, whole, LENGTH + 1, "after a short result");
  for (i = 0; i < whole; i += whole / 16 + 1) {
    bytes[i] ^= 0x5a;
    try_frame (run, context, bytes, whole, LENGTH, "after a damaged frame");
  }
}

void
check_errors (struct check_run *run)
{
  int level = run->ops->level_default;
  struct iopress_codec_context *context;
  struct kept frame;

  if (run->ops->error_text == NULL)
    check_skip (run, "the codec has no .error_text");
  check_buffers_open (run, CHECK_SMALL);
  context = check_open (run, level, "", CHECK_SMALL);
  expect_line (run, context, "before any call");
  check_input (run, CONTENT_PAGES, 2, LENGTH);
  check_frame (run, context, LENGTH, &frame);
  expect_line (run, context, "after a frame");
  fail_in_all_ways (run, context, &frame);
  check_release (&frame);
  check_close (run, context);
}
