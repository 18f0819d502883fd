/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Codec plugin "zstd": one Zstandard frame (RFC 8878) a chunk. */

#include <stdlib.h>
#include <string.h>

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
  size_t chunk_size;
  int long_log;                /* the N of long=N, or 0 */
  const char *error;
};

static const char *
zstd_version (void)
{
  return ZSTD_versionString ();
}

static size_t
zstd_bound (size_t length)
{
  return ZSTD_compressBound (length);
}

/* The smallest window that spans a whole chunk: with it even the fast levels
 * find every match, and a larger one would only cost memory.
 */
static int
chunk_window_log (size_t chunk_size)
{
  int log = LONG_MIN_LOG;

  while (log < LONG_MAX_LOG && (size_t) 1 << log < chunk_size)
    log++;
  return log;
}

/* Level 1 with a table that fits a first-level cache of 32 KiB next to nothing
 * else, and shorter matches to make up for it: on the memory of guests this is
 * both a little faster and a little smaller than the library's own choice.
 */
static size_t
set_level (ZSTD_CCtx *compressor, int level)
{
  size_t result = ZSTD_CCtx_setParameter (compressor,
                                          ZSTD_c_compressionLevel, level);

  if (level != 1 || ZSTD_isError (result))
    return result;
  result = ZSTD_CCtx_setParameter (compressor, ZSTD_c_hashLog, 13);
  if (!ZSTD_isError (result))
    result = ZSTD_CCtx_setParameter (compressor, ZSTD_c_minMatch, 6);
  return result;
}

/* From whatever they were. */
static int
zstd_set_level (struct iopress_codec_context *context, int level)
{
  ZSTD_CCtx *compressor = context->compressor;
  int window = chunk_window_log (context->chunk_size);
  int wanted = context->long_log;
  size_t result;

  result = ZSTD_CCtx_reset (compressor, ZSTD_reset_session_and_parameters);
  if (ZSTD_isError (result))
    return -1;

  if (wanted != 0 && wanted < window)
    window = wanted;
  result = set_level (compressor, level);
  if (!ZSTD_isError (result))
    result = ZSTD_CCtx_setParameter (compressor, ZSTD_c_windowLog, window);
  if (!ZSTD_isError (result) && wanted != 0)
    result = ZSTD_CCtx_setParameter (compressor,
                                     ZSTD_c_enableLongDistanceMatching, 1);
  return ZSTD_isError (result) ? -1 : 0;
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

  if (context == NULL)
    return NULL;
  context->chunk_size = chunk_size;
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
  static const unsigned char magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

  return input_length >= sizeof magic &&
    memcmp (input, magic, sizeof magic) == 0;
}

/* The library would also take a series of frames, skippable frames and the
 * formats of old versions.
 */
static int
is_one_frame (const void *input, size_t input_length)
{
  return zstd_is_frame (input, input_length) &&
    ZSTD_findFrameCompressedSize (input, input_length) == input_length;
}

static size_t
zstd_decompress (struct iopress_codec_context *context,
                 const void *input, size_t input_length,
                 void *output, size_t output_length)
{
  size_t result;

  context->error = "not exactly one Zstandard frame";
  if (!is_one_frame (input, input_length))
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
  .version = zstd_version,
  .level_min = -7,
  .level_max = 19,
  .level_default = 1,
  .bound = zstd_bound,
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
