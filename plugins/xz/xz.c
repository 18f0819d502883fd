/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Codec plugin "xz": one stream of the .xz format a chunk. */

#include <stdlib.h>
#include <string.h>

#include <lzma.h>

#include "iopress-plugin.h"

/* The largest chunk of the image format as dictionary, and the decoder's own
 * needs.
 */
#define DECODER_MEMORY ((16u << 20) + (1u << 20))

/* Coders keep their memory when a stream is initialised again. */
struct iopress_codec_context {
  lzma_stream encoder;
  lzma_stream decoder;
  lzma_options_lzma options;
  lzma_filter filters[2];
  const char *error;
};

static const char *
xz_version (void)
{
  return lzma_version_string ();
}

/* The library's bound is that of its one-call encoder, which starts again
 * without compression where data does not shrink.  The streaming encoder
 * decides for each 64 KiB or a little less, with a header of 3 bytes.
 */
static size_t
xz_bound (size_t length)
{
  return lzma_stream_buffer_bound (length) + length / 8192 + 64;
}

/* A dictionary beyond the chunk would never be used. */
static uint32_t
dictionary_size (uint32_t preset_size, size_t chunk_size)
{
  uint32_t size = LZMA_DICT_SIZE_MIN;

  while (size < chunk_size && size < preset_size)
    size *= 2;
  return size < preset_size ? size : preset_size;
}

static void
xz_close (struct iopress_codec_context *context)
{
  lzma_end (&context->encoder);
  lzma_end (&context->decoder);
  free (context);
}

static struct iopress_codec_context *
xz_open (int level, const char *parameters, size_t chunk_size)
{
  static const lzma_stream empty = LZMA_STREAM_INIT;
  struct iopress_codec_context *context = calloc (1, sizeof *context);
  uint32_t preset = (uint32_t) level;

  if (context == NULL)
    return NULL;
  if (iopress_codec_value (parameters, "extreme") != NULL)
    preset |= LZMA_PRESET_EXTREME;
  if (lzma_lzma_preset (&context->options, preset)) {
    free (context);
    return NULL;
  }
  context->options.dict_size =
    dictionary_size (context->options.dict_size, chunk_size);
  context->filters[0].id = LZMA_FILTER_LZMA2;
  context->filters[0].options = &context->options;
  context->filters[1].id = LZMA_VLI_UNKNOWN;
  context->encoder = empty;
  context->decoder = empty;
  return context;
}

static const char *
text_of (lzma_ret result)
{
  switch (result) {
  case LZMA_STREAM_END: return "the stream does not have the expected length";
  case LZMA_MEM_ERROR: return "out of memory";
  case LZMA_MEMLIMIT_ERROR: return "the stream needs too large a dictionary";
  case LZMA_FORMAT_ERROR: return "not an .xz stream";
  case LZMA_OPTIONS_ERROR: return "the stream needs unknown features";
  case LZMA_DATA_ERROR: return "the stream is damaged";
  case LZMA_OK:
  case LZMA_BUF_ERROR: return "the stream is too short or too long";
  default: return "unexpected error of liblzma";
  }
}

static lzma_ret
code (lzma_stream *stream, const void *input, size_t input_length,
      void *output, size_t output_size)
{
  stream->next_in = input;
  stream->avail_in = input_length;
  stream->next_out = output;
  stream->avail_out = output_size;
  return lzma_code (stream, LZMA_FINISH);
}

/* The check is the cheapest that xz(1) accepts without a warning. */
static size_t
xz_compress (struct iopress_codec_context *context,
             const void *input, size_t input_length,
             void *output, size_t output_size)
{
  lzma_stream *encoder = &context->encoder;
  lzma_ret result = lzma_stream_encoder (encoder, context->filters,
                                         LZMA_CHECK_CRC32);

  if (result == LZMA_OK) {
    result = code (encoder, input, input_length, output, output_size);
    if (result == LZMA_STREAM_END)
      return output_size - encoder->avail_out;
    if (result == LZMA_OK || result == LZMA_BUF_ERROR) {
      context->error = "the stream does not fit";
      return IOPRESS_CODEC_NO_ROOM;
    }
  }
  context->error = text_of (result);
  return IOPRESS_CODEC_ERROR;
}

static size_t
xz_decompress (struct iopress_codec_context *context,
               const void *input, size_t input_length,
               void *output, size_t output_length)
{
  lzma_stream *decoder = &context->decoder;
  lzma_ret result = lzma_stream_decoder (decoder, DECODER_MEMORY, 0);

  if (result == LZMA_OK)
    result = code (decoder, input, input_length, output, output_length);
  if (result == LZMA_STREAM_END && decoder->avail_in == 0 &&
      decoder->avail_out == 0)
    return output_length;
  context->error = text_of (result);
  return IOPRESS_CODEC_ERROR;
}

static int
xz_is_frame (const void *input, size_t input_length)
{
  static const unsigned char magic[] = { 0xfd, '7', 'z', 'X', 'Z', 0 };

  return input_length >= sizeof magic &&
    memcmp (input, magic, sizeof magic) == 0;
}

static const char *
xz_error_text (struct iopress_codec_context *context)
{
  return context->error;
}

static const struct iopress_codec_parameter xz_parameters[] = {
  {
    .key = "extreme",
    .type = IOPRESS_CODEC_FLAG,
    .help = "search for longer, for a few percent",
  },
  { .key = NULL },
};

static struct iopress_codec xz_codec = {
  .name = "xz",
  .version = xz_version,
  .level_min = 0,
  .level_max = 9,
  .level_default = 6,
  .bound = xz_bound,
  .open = xz_open,
  .close = xz_close,
  .compress = xz_compress,
  .decompress = xz_decompress,
  .error_text = xz_error_text,
  .is_frame = xz_is_frame,
  .parameters = xz_parameters,
};

IOPRESS_REGISTER_CODEC (xz_codec)
