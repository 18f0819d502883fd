/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Codec plugin "xz": one stream of the .xz format a chunk. */

#include <stdlib.h>

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

/* The library's bound is that of its one-call encoder, which starts again
 * without compression where data does not shrink.  The streaming encoder
 * decides for each 64 KiB or a little less, with a header of 3 bytes.
 */
static size_t
xz_bound (size_t length)
{
  return lzma_stream_buffer_bound (length) + length / 8192 + 64;
}

static struct iopress_codec_context *
xz_open (int level, const char *parameters, size_t chunk_size)
{
  struct iopress_codec_context *context = malloc (sizeof *context);
  uint32_t preset = (uint32_t) level;

  if (context == NULL)
    return NULL;
  *context = (struct iopress_codec_context) {
    .encoder = LZMA_STREAM_INIT,
    .decoder = LZMA_STREAM_INIT,
    .filters = {
      { .id = LZMA_FILTER_LZMA2, .options = &context->options },
      { .id = LZMA_VLI_UNKNOWN },
    },
  };
  if (iopress_codec_value (parameters, "extreme") != NULL)
    preset |= LZMA_PRESET_EXTREME;
  if (lzma_lzma_preset (&context->options, preset)) {
    free (context);
    return NULL;
  }
  /* A dictionary beyond the chunk would never be used. */
  if (chunk_size < LZMA_DICT_SIZE_MIN)
    chunk_size = LZMA_DICT_SIZE_MIN;
  if (context->options.dict_size > chunk_size)
    context->options.dict_size = (uint32_t) chunk_size;
  return context;
}

static void
xz_close (struct iopress_codec_context *context)
{
  lzma_end (&context->encoder);
  lzma_end (&context->decoder);
  free (context);
}

static const char *
text_of (lzma_ret result)
{
  switch (result) {
  case LZMA_MEM_ERROR: return "out of memory";
  case LZMA_MEMLIMIT_ERROR: return "the stream needs too large a dictionary";
  case LZMA_FORMAT_ERROR: return "not an .xz stream";
  case LZMA_OPTIONS_ERROR: return "the stream needs unknown features";
  case LZMA_DATA_ERROR: return "the stream is damaged";
  case LZMA_OK:
  case LZMA_STREAM_END:
  case LZMA_BUF_ERROR: return "the stream does not have the expected length";
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

  if (result == LZMA_OK)
    result = code (encoder, input, input_length, output, output_size);
  if (result == LZMA_STREAM_END)
    return output_size - encoder->avail_out;
  context->error = text_of (result);
  if (result != LZMA_OK && result != LZMA_BUF_ERROR)
    return IOPRESS_CODEC_ERROR;
  context->error = "the stream does not fit";
  return IOPRESS_CODEC_NO_ROOM;
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
  return iopress_codec_begins (input, input_length, "\xfd" "7zXZ\0", 6);
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
  .version = lzma_version_string,
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
