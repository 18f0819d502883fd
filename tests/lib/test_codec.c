/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the codec plugins of the tests have in common. */

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "lib/test_codec.h"

struct iopress_codec_context {
  size_t chunk_size;
};

static const char *
test_version (void)
{
  return "1.0";
}

static size_t
test_bound (size_t length)
{
  return length;
}

static struct iopress_codec_context *
test_open (int level, const char *parameters, size_t chunk_size)
{
  struct iopress_codec_context *context = malloc (sizeof *context);

  (void) level;
  (void) parameters;
  if (context != NULL)
    context->chunk_size = chunk_size;
  return context;
}

static void
test_close (struct iopress_codec_context *context)
{
  free (context);
}

static size_t
test_copy (struct iopress_codec_context *context,
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
test_error_text (struct iopress_codec_context *context)
{
  (void) context;
  return "none";
}

const struct iopress_codec test_codec = {
  .abi = IOPRESS_CODEC_ABI,
  .struct_size = sizeof (struct iopress_codec),
  .version = test_version,
  .level_min = 1,
  .level_max = 1,
  .level_default = 1,
  .bound = test_bound,
  .open = test_open,
  .close = test_close,
  .compress = test_copy,
  .decompress = test_copy,
  .error_text = test_error_text,
};
