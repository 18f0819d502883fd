/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A codec plugin that breaks the rule its file name tells: the test of the
 * loader copies it to no-compress.so, old.so and so on.
 */

#include <config.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "lib/test_codec.h"

/* As a plugin built with a later header would have it. */
static struct {
  struct iopress_codec codec;
  void *future;
} variant = { .future = &variant };

/* Of the codecs called frame-something. */
static int
begins_with_f (const void *input, size_t input_length)
{
  return input_length > 0 && *(const char *) input == 'F';
}

/* As a plugin built with a later header would have them. */
static const struct {
  struct iopress_codec_parameter parameter;
  void *future;
} long_parameters[] = {
  { { .key = "fast", .type = IOPRESS_CODEC_FLAG, .help = "faster" }, NULL },
  { { .key = "size", .type = IOPRESS_CODEC_INTEGER, .minimum = -1,
      .maximum = 20, .help = "larger" }, NULL },
  { { .key = NULL }, NULL },
};

/* Of the codecs called wrong-something. */
static struct iopress_codec_parameter parameters[40] = {
  { .key = "wrong", .type = IOPRESS_CODEC_INTEGER, .help = "nothing" },
};

static void
describe_wrongly (struct iopress_codec *codec, const char *name)
{
  static char keys[40][4];
  unsigned int i;

  if (strcmp (name, "wrong-size") == 0)
    codec->parameter_size = 8;
  else if (strcmp (name, "wrong-distance") == 0)
    codec->parameter_size = 1u << 30;
  else if (strcmp (name, "wrong-place") == 0)
    codec->parameters = (const void *) (uintptr_t) 4096;
  else if (strcmp (name, "wrong-twice") == 0)
    parameters[1] = parameters[0];
  else if (strcmp (name, "wrong-end") == 0)
    for (i = 0; i < 40; i++) {
      parameters[i] = parameters[0];
      parameters[i].key = keys[i];
      snprintf (keys[i], sizeof keys[i], "k%u", i);
    }
}

static void
describe_parameters (struct iopress_codec *codec, const char *name)
{
  codec->parameter_size = sizeof parameters[0];
  if (strcmp (name, "long-parameter") == 0) {
    codec->parameters = &long_parameters[0].parameter;
    codec->parameter_size = sizeof long_parameters[0];
  }
  if (strncmp (name, "wrong-", 6) == 0)
    codec->parameters = parameters;
  if (strcmp (name, "wrong-key") == 0)
    parameters[0].key = "Key";
  else if (strcmp (name, "wrong-type") == 0)
    parameters[0].type = 4;
  else if (strcmp (name, "wrong-range") == 0)
    parameters[0].minimum = 1;
  else if (strcmp (name, "wrong-choice") == 0)
    parameters[0].type = IOPRESS_CODEC_CHOICE;
  else if (strcmp (name, "wrong-help") == 0)
    parameters[0].help = "two\nlines";
  else
    describe_wrongly (codec, name);
}

static void
change_struct (struct iopress_codec *codec, const char *name)
{
  if (strcmp (name, "old") == 0)
    codec->struct_size = offsetof (struct iopress_codec, error_text);
  else if (strcmp (name, "too-old") == 0)
    codec->struct_size = offsetof (struct iopress_codec, decompress);
  else if (strcmp (name, "nameless") == 0)
    codec->struct_size = 8;
  else if (strcmp (name, "newer") == 0)
    codec->struct_size = sizeof variant;
  else if (strcmp (name, "cut") == 0)
    codec->struct_size = offsetof (struct iopress_codec, decompress) + 1;
  else if (strcmp (name, "frame-old") == 0)
    codec->struct_size = offsetof (struct iopress_codec, is_frame);
  else if (strcmp (name, "later-abi") == 0)
    codec->abi = IOPRESS_CODEC_ABI + 1;
  else if (strcmp (name, "earlier-abi") == 0)
    codec->abi = IOPRESS_CODEC_ABI - 1;
  else if (strcmp (name, "endless") == 0)
    codec->struct_size = 1u << 30;
  else if (strcmp (name, "overlong") == 0)
    memset (&codec->set_level, 0x5a, sizeof codec->set_level);
  else if (strcmp (name, "data") == 0)
    memcpy (&codec->is_frame, &(void *) { &variant },
            sizeof codec->is_frame);
  else if (strcmp (name, "other-name") == 0)
    codec->name = "good";
  else if (strcmp (name, "bad-levels") == 0)
    codec->level_default = codec->level_max + 1;
  else if (strcmp (name, "odd-chunk") == 0)
    codec->chunk_size = 100000;
  else if (strcmp (name, "small-chunk") == 0)
    codec->chunk_size = 32768;
  else if (strcmp (name, "large-chunk") == 0)
    codec->chunk_size = 33554432;
}

static void
drop_member (struct iopress_codec *codec, const char *name)
{
  if (strcmp (name, "no-name") == 0)
    codec->name = NULL;
  else if (strcmp (name, "no-version") == 0)
    codec->version = NULL;
  else if (strcmp (name, "no-bound") == 0)
    codec->bound = NULL;
  else if (strcmp (name, "no-open") == 0)
    codec->open = NULL;
  else if (strcmp (name, "no-close") == 0)
    codec->close = NULL;
  else if (strcmp (name, "no-compress") == 0)
    codec->compress = NULL;
  else if (strcmp (name, "no-decompress") == 0)
    codec->decompress = NULL;
}

const struct iopress_codec *
iopress_codec_entry (void)
{
  static char name[64];
  Dl_info self;
  const char *file;

  if (dladdr (&variant, &self) == 0)
    return NULL;
  file = strrchr (self.dli_fname, '/') + 1;
  strncpy (name, file, strcspn (file, "."));
  if (strcmp (name, "null") == 0)
    return NULL;
  if (strcmp (name, "nowhere") == 0)
    return (const struct iopress_codec *) 64;
  variant.codec = test_codec;
  variant.codec.name = name;
  variant.codec.level_max = 9;
  variant.codec.level_default = 5;
  if (strncmp (name, "frame-", 6) == 0)
    variant.codec.is_frame = begins_with_f;
  describe_parameters (&variant.codec, name);
  change_struct (&variant.codec, name);
  drop_member (&variant.codec, name);
  return &variant.codec;
}
