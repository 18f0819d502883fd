/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A codec that cannot always be trusted: it drops the zeros at the end of a
 * chunk, and changes a byte of one that begins with the word CORRUPT.
 */

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "iopress-plugin.h"

struct iopress_codec_context {
  size_t chunk_size;
};

static const char *
corrupt_version (void)
{
  return "1.0";
}

static size_t
corrupt_bound (size_t length)
{
  return length;
}

static struct iopress_codec_context *
corrupt_open (int level, const char *parameters, size_t chunk_size)
{
  struct iopress_codec_context *context = malloc (sizeof *context);

  (void) level;
  (void) parameters;
  if (context != NULL)
    context->chunk_size = chunk_size;
  return context;
}

static void
corrupt_close (struct iopress_codec_context *context)
{
  free (context);
}

static size_t
corrupt_compress (struct iopress_codec_context *context,
                  const void *input, size_t input_length,
                  void *output, size_t output_size)
{
  const uint8_t *bytes = input;
  size_t length = input_length;

  (void) context;
  while (length > 1 && bytes[length - 1] == 0)
    length--;
  if (output_size < length)
    return IOPRESS_CODEC_NO_ROOM;
  memcpy (output, input, length);
  if (length > 100 && memcmp (bytes, "CORRUPT", 7) == 0)
    ((uint8_t *) output)[100] ^= 1;
  return length;
}

static size_t
corrupt_decompress (struct iopress_codec_context *context,
                    const void *input, size_t input_length,
                    void *output, size_t output_size)
{
  (void) context;
  if (output_size < input_length)
    return IOPRESS_CODEC_NO_ROOM;
  memcpy (output, input, input_length);
  memset ((uint8_t *) output + input_length, 0, output_size - input_length);
  return output_size;
}

static const char *
corrupt_error_text (struct iopress_codec_context *context)
{
  (void) context;
  return "none";
}

static const struct iopress_codec corrupt = {
  .abi = IOPRESS_CODEC_ABI,
  .struct_size = sizeof (struct iopress_codec),
  .name = "corrupt",
  .version = corrupt_version,
  .level_min = 1,
  .level_max = 1,
  .level_default = 1,
  .bound = corrupt_bound,
  .open = corrupt_open,
  .close = corrupt_close,
  .compress = corrupt_compress,
  .decompress = corrupt_decompress,
  .error_text = corrupt_error_text,
};

extern __attribute__ ((visibility ("default")))
const struct iopress_codec *iopress_codec_entry (void);

const struct iopress_codec *
iopress_codec_entry (void)
{
  return &corrupt;
}
