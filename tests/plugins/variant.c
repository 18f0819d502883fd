/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A codec plugin that breaks the rule its file name tells: the test of the
 * loader copies it to no-compress.so, old.so and so on.
 */

#include <config.h>

#include <dlfcn.h>
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

static void
change_struct (struct iopress_codec *codec, const char *name)
{
  if (strcmp (name, "old") == 0)
    codec->struct_size = offsetof (struct iopress_codec, error_text);
  else if (strcmp (name, "too-old") == 0)
    codec->struct_size = offsetof (struct iopress_codec, decompress);
  else if (strcmp (name, "newer") == 0)
    codec->struct_size = sizeof variant;
  else if (strcmp (name, "cut") == 0)
    codec->struct_size = offsetof (struct iopress_codec, decompress) + 1;
  else if (strcmp (name, "frame-old") == 0)
    codec->struct_size = offsetof (struct iopress_codec, is_frame);
  else if (strcmp (name, "other-abi") == 0)
    codec->abi = IOPRESS_CODEC_ABI + 1;
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
  variant.codec = test_codec;
  variant.codec.name = name;
  variant.codec.level_max = 9;
  variant.codec.level_default = 5;
  if (strncmp (name, "frame-", 6) == 0)
    variant.codec.is_frame = begins_with_f;
  change_struct (&variant.codec, name);
  drop_member (&variant.codec, name);
  return &variant.codec;
}
