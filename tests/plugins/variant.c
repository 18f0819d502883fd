/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A codec plugin that breaks the rule its file name tells: the test of the
 * loader copies it to no-compress.so, old.so and so on.
 */

#include <config.h>

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "iopress-plugin.h"

struct iopress_codec_context {
  size_t chunk_size;
};

static const char *
variant_version (void)
{
  return "1.0";
}

static size_t
variant_bound (size_t length)
{
  return length;
}

static struct iopress_codec_context *
variant_open (int level, const char *parameters, size_t chunk_size)
{
  struct iopress_codec_context *context = malloc (sizeof *context);

  (void) level;
  (void) parameters;
  if (context != NULL)
    context->chunk_size = chunk_size;
  return context;
}

static void
variant_close (struct iopress_codec_context *context)
{
  free (context);
}

static size_t
variant_copy (struct iopress_codec_context *context,
              const void *input, size_t input_length,
              void *output, size_t output_size)
{
  (void) context;
  if (output_size < input_length)
    return IOPRESS_CODEC_NO_ROOM;
  memcpy (output, input, input_length);
  return input_length;
}

static const char *
variant_error_text (struct iopress_codec_context *context)
{
  (void) context;
  return "none";
}

/* As a plugin built with a later header would have it. */
static struct {
  struct iopress_codec codec;
  void *future;
} variant = {
  .codec = {
    .abi = IOPRESS_CODEC_ABI,
    .struct_size = sizeof (struct iopress_codec),
    .version = variant_version,
    .level_min = 1,
    .level_max = 9,
    .level_default = 5,
    .bound = variant_bound,
    .open = variant_open,
    .close = variant_close,
    .compress = variant_copy,
    .decompress = variant_copy,
    .error_text = variant_error_text,
  },
  .future = &variant,
};

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

extern __attribute__ ((visibility ("default")))
const struct iopress_codec *iopress_codec_entry (void);

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
  variant.codec.name = name;
  change_struct (&variant.codec, name);
  drop_member (&variant.codec, name);
  return &variant.codec;
}
