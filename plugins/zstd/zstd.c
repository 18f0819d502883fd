/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Codec plugin "zstd": one Zstandard frame (RFC 8878) a chunk. */

#include <stdlib.h>

#include <zstd.h>
#include <zstd_errors.h>

#include "iopress-plugin.h"

/* The window sizes "long=" takes, as powers of two.  More than 27 is what a
 * stock "zstd -d" refuses without further options.
 */
#define LONG_MIN_LOG 10
#define LONG_MAX_LOG 27

struct iopress_codec_context {
  ZSTD_CCtx *compressor;
  ZSTD_DCtx *decompressor;
  int long_log;                /* the N of long=N, or 0 */
  const char *error;
};

/* From whatever they were.  0 is the library's own choice.
 *
 * Level 1 gets a table that fits a first-level cache of 32 KiB next to nothing
 * else, and shorter matches to make up for it: on the memory of guests this is
 * both a little faster and a little smaller.
 *
 * The library narrows the window to the chunk, and one that spans a whole chunk
 * lets even the fast levels find every match.
 */
static int
zstd_set_level (struct iopress_codec_context *context, int level)
{
  const int wanted = context->long_log;
  const struct {
    ZSTD_cParameter parameter;
    int value;
  } settings[] = {
    { ZSTD_c_compressionLevel, level },
    { ZSTD_c_hashLog, level == 1 ? 13 : 0 },
    { ZSTD_c_minMatch, level == 1 ? 6 : 0 },
    { ZSTD_c_windowLog, wanted != 0 ? wanted : LONG_MAX_LOG },
    { ZSTD_c_enableLongDistanceMatching, wanted != 0 },
  };
  ZSTD_CCtx *compressor = context->compressor;
  size_t i;

  if (ZSTD_isError (ZSTD_CCtx_reset (compressor, ZSTD_reset_session_only)))
    return -1;
  for (i = 0; i < sizeof settings / sizeof settings[0]; i++)
    if (ZSTD_isError (ZSTD_CCtx_setParameter (compressor,
                                              settings[i].parameter,
                                              settings[i].value)))
      return -1;
  return 0;
}

static void
zstd_close (struct iopress_codec_context *context)
{
  ZSTD_freeCCtx (context->compressor);
  ZSTD_freeDCtx (context->decompressor);
  free (context);
}

static struct iopress_codec_context *
zstd_open (int level, const char *parameters, size_t chunk_size)
{
  struct iopress_codec_context *context = calloc (1, sizeof *context);

  (void) chunk_size;
  if (context == NULL)
    return NULL;
  context->long_log =
    (int) iopress_codec_integer (parameters, "long", 0);
  context->compressor = ZSTD_createCCtx ();
  context->decompressor = ZSTD_createDCtx ();
  if (context->compressor == NULL || context->decompressor == NULL ||
      zstd_set_level (context, level) == -1) {
    zstd_close (context);
    return NULL;
  }
  return context;
}

static size_t
zstd_compress (struct iopress_codec_context *context,
               const void *input, size_t input_length,
               void *output, size_t output_size)
{
  size_t result = ZSTD_compress2 (context->compressor, output, output_size,
                                  input, input_length);

  if (!ZSTD_isError (result))
    return result;
  context->error = ZSTD_getErrorName (result);
  return ZSTD_getErrorCode (result) == ZSTD_error_dstSize_tooSmall ?
    IOPRESS_CODEC_NO_ROOM : IOPRESS_CODEC_ERROR;
}

static int
zstd_is_frame (const void *input, size_t input_length)
{
  return iopress_codec_begins (input, input_length, "\x28\xb5\x2f\xfd", 4);
}

/* The library would also take a series of frames, skippable frames and the
 * formats of old versions.
 */
static size_t
zstd_decompress (struct iopress_codec_context *context,
                 const void *input, size_t input_length,
                 void *output, size_t output_length)
{
  size_t result;

  context->error = "not exactly one Zstandard frame";
  if (!zstd_is_frame (input, input_length) ||
      ZSTD_findFrameCompressedSize (input, input_length) != input_length)
    return IOPRESS_CODEC_ERROR;
  result = ZSTD_decompressDCtx (context->decompressor, output, output_length,
                                input, input_length);
  if (result == output_length)
    return output_length;
  context->error = ZSTD_isError (result) ? ZSTD_getErrorName (result) :
    "the frame is shorter than it should be";
  return IOPRESS_CODEC_ERROR;
}

static const char *
zstd_error_text (struct iopress_codec_context *context)
{
  return context->error;
}

static const struct iopress_codec_parameter zstd_parameters[] = {
  {
    .key = "long",
    .type = IOPRESS_CODEC_INTEGER,
    .minimum = LONG_MIN_LOG,
    .maximum = LONG_MAX_LOG,
    .help = "find long matches up to 2 to the power of this many bytes back",
  },
  { .key = NULL },
};

static struct iopress_codec zstd_codec = {
  .name = "zstd",
  .version = ZSTD_versionString,
  .level_min = -7,
  .level_max = 19,
  .level_default = 1,
  .bound = ZSTD_compressBound,
  .open = zstd_open,
  .close = zstd_close,
  .compress = zstd_compress,
  .decompress = zstd_decompress,
  .error_text = zstd_error_text,
  .set_level = zstd_set_level,
  .is_frame = zstd_is_frame,
  .parameters = zstd_parameters,
};

IOPRESS_REGISTER_CODEC (zstd_codec)
