/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Codec plugin "lz4": one frame of the LZ4 frame format a chunk. */

#include <stdlib.h>

#include <lz4.h>
#include <lz4frame.h>

#include "iopress-plugin.h"

struct iopress_codec_context {
  LZ4F_dctx *decompressor;
  LZ4F_preferences_t preferences;
  const char *error;
};

/* Room that suffices for every block size: small blocks have most headers. */
static size_t
lz4_bound (size_t length)
{
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;

  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  return LZ4F_compressFrameBound (length, &preferences);
}

static struct iopress_codec_context *
lz4_open (int level, const char *parameters, size_t chunk_size)
{
  struct iopress_codec_context *context = calloc (1, sizeof *context);

  (void) parameters;
  (void) chunk_size;
  if (context == NULL)
    return NULL;
  context->preferences.compressionLevel = level;
  context->preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  if (LZ4F_isError (LZ4F_createDecompressionContext (&context->decompressor,
                                                     LZ4F_VERSION))) {
    free (context);
    return NULL;
  }
  return context;
}

static void
lz4_close (struct iopress_codec_context *context)
{
  LZ4F_freeDecompressionContext (context->decompressor);
  free (context);
}

static int
lz4_set_level (struct iopress_codec_context *context, int level)
{
  context->preferences.compressionLevel = level;
  return 0;
}

/* The largest block that the content fills: the library decodes a block in
 * place only where a whole one has room, and through a buffer otherwise.
 */
static LZ4F_blockSizeID_t
block_size_for (size_t length)
{
  return length >= 4u << 20 ? LZ4F_max4MB :
    length >= 1u << 20 ? LZ4F_max1MB :
    length >= 256u << 10 ? LZ4F_max256KB : LZ4F_max64KB;
}

/* The library wants room for the worst case before it starts. */
static size_t
lz4_compress (struct iopress_codec_context *context,
              const void *input, size_t input_length,
              void *output, size_t output_size)
{
  LZ4F_preferences_t *preferences = &context->preferences;
  size_t result;

  preferences->frameInfo.blockSizeID = block_size_for (input_length);
  preferences->frameInfo.contentSize = input_length;
  if (output_size < LZ4F_compressFrameBound (input_length, preferences)) {
    context->error = "the frame may not fit";
    return IOPRESS_CODEC_NO_ROOM;
  }
  result = LZ4F_compressFrame (output, output_size, input, input_length,
                               preferences);
  if (!LZ4F_isError (result))
    return result;
  context->error = LZ4F_getErrorName (result);
  return IOPRESS_CODEC_ERROR;
}

static size_t
lz4_decompress (struct iopress_codec_context *context,
                const void *input, size_t input_length,
                void *output, size_t output_length)
{
  LZ4F_decompressOptions_t options = { .stableDst = 1 };
  size_t consumed = input_length, produced = output_length, result;

  LZ4F_resetDecompressionContext (context->decompressor);
  result = LZ4F_decompress (context->decompressor, output, &produced,
                            input, &consumed, &options);
  if (result == 0 && consumed == input_length && produced == output_length)
    return output_length;
  context->error = LZ4F_isError (result) ? LZ4F_getErrorName (result) :
    "the frame does not have the expected length";
  return IOPRESS_CODEC_ERROR;
}

static int
lz4_is_frame (const void *input, size_t input_length)
{
  return iopress_codec_begins (input, input_length, "\x04\x22\x4d\x18", 4);
}

static const char *
lz4_error_text (struct iopress_codec_context *context)
{
  return context->error;
}

/* The levels of lz4(1): -N is its --fast=N, 1 and 2 are fast, 3 to 12 search
 * harder (HC).
 */
static struct iopress_codec lz4_codec = {
  .name = "lz4",
  .version = LZ4_versionString,
  .level_min = -9,
  .level_max = 12,
  .level_default = 1,
  .bound = lz4_bound,
  .open = lz4_open,
  .close = lz4_close,
  .compress = lz4_compress,
  .decompress = lz4_decompress,
  .error_text = lz4_error_text,
  .set_level = lz4_set_level,
  .is_frame = lz4_is_frame,
};

IOPRESS_REGISTER_CODEC (lz4_codec)
