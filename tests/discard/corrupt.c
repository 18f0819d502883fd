/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A codec that cannot always be trusted: it drops the zeros at the end of a
 * chunk, and changes a byte of one that begins with the word CORRUPT.
 */

#include <config.h>

#include <string.h>

#include "lib/test_codec.h"

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

const struct iopress_codec *
iopress_codec_entry (void)
{
  static struct iopress_codec corrupt;

  corrupt = test_codec;
  corrupt.name = "corrupt";
  corrupt.compress = corrupt_compress;
  corrupt.decompress = corrupt_decompress;
  return &corrupt;
}
