/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of the codec with a flaw: the members that have one of their own. */

#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/run_codec.h"
#include "plugins/flawed.h"

typedef struct iopress_codec_context context_t;

static const char *
no_version (void)
{
  return NULL;
}

static size_t
falling_bound (size_t length)
{
  return length > 4096 ? length + 1000 : length + 2000;
}

static size_t
tight_bound (size_t length)
{
  return is ("tight-bound") || length > 8 << 20 ? length : length + 13;
}

static int
keep_level (context_t *context, int level)
{
  (void) context;
  (void) level;
  return 0;
}

static int
leak_level (context_t *context, int level)
{
  take_memory (50);
  return run_codec.set_level (context, level);
}

static const char *
open_in_version (void)
{
  (void) !open ("/dev/null", O_RDONLY);
  return run_codec.version ();
}

static const char *
leak_version (void)
{
  return strcpy (take_memory (100), "1.0");
}

static const char *
bad_text (context_t *context)
{
  (void) context;
  return (const char *) 8;
}

static const char *
two_lines (context_t *context)
{
  (void) context;
  return "it failed\nwhy?";
}

/* Its text is gone when it has returned. */
static const char *
fleeting_text (context_t *context)
{
  char text[64];
  const char *volatile gone = strcpy (text, "gone");

  (void) context;
  return gone;
}

static int
crash_on_frame (const void *input, size_t length)
{
  const volatile char *const volatile nowhere = (const char *) 8;

  return length > 4 ? *nowhere : input == NULL;
}

static int
know_all (const void *input, size_t length)
{
  (void) input;
  (void) length;
  return 1;
}

static int
know_none (const void *input, size_t length)
{
  return know_all (input, length) - 1;
}

static int
refuse (int level, const char *parameters, char *message, size_t size)
{
  (void) level;
  (void) parameters;
  snprintf (message, size, "no");
  return -1;
}

static int
refuse_in_silence (int level, const char *parameters, char *message,
                   size_t size)
{
  (void) level;
  (void) parameters;
  memset (message, 'x', size);
  return -1;
}

static struct iopress_codec_parameter parameters[] = {
  { .key = "fast", .type = IOPRESS_CODEC_FLAG, .help = "does nothing" },
  { .key = NULL, .type = IOPRESS_CODEC_FLAG, .help = "the same" },
  { .key = NULL },
};

static void
describe_parameters (struct iopress_codec *codec)
{
  if (is ("refuses") || is ("keeps-text") || is ("same-key") ||
      is ("worst-level"))
    codec->parameters = parameters;
  if (is ("same-key"))
    parameters[1].key = "fast";
  if (is ("refuses"))
    codec->check_parameters = refuse;
  if (is ("says-nothing"))
    codec->check_parameters = refuse_in_silence;
}

static void
take_texts (struct iopress_codec *codec)
{
  if (is ("no-version"))
    codec->version = no_version;
  if (is ("version-opens"))
    codec->version = open_in_version;
  if (is ("leaks-version"))
    codec->version = leak_version;
  if (is ("bad-text"))
    codec->error_text = bad_text;
  if (is ("two-lines"))
    codec->error_text = two_lines;
  if (is ("fleeting-text"))
    codec->error_text = fleeting_text;
}

void
flawed_members (struct iopress_codec *codec)
{
  describe_parameters (codec);
  take_texts (codec);
  if (is ("falling-bound"))
    codec->bound = falling_bound;
  if (is ("tight-bound") || is ("tight-at-large"))
    codec->bound = tight_bound;
  if (is ("keeps-level"))
    codec->set_level = keep_level;
  if (is ("leaks-level"))
    codec->set_level = leak_level;
  if (is ("knows-all"))
    codec->is_frame = know_all;
  if (is ("knows-none"))
    codec->is_frame = know_none;
  if (is ("dies-on-frame"))
    codec->is_frame = crash_on_frame;
  if (is ("no-decompress"))
    codec->decompress = NULL;
}
