/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Codec plugin "gzip": one member of the gzip format (RFC 1952) a chunk, made
 * by libdeflate.  An example for codecs of your own: put another library in
 * its place.
 */

#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>

#include <iopress-plugin.h>

struct iopress_codec_context {
  struct libdeflate_compressor *compressor;
  struct libdeflate_decompressor *decompressor;
  const char *error;
};

static const char *
gzip_version (void)
{
  return LIBDEFLATE_VERSION_STRING;
}

/* Of any level. */
static size_t
gzip_bound (size_t length)
{
  return libdeflate_gzip_compress_bound (NULL, length);
}

static void
gzip_close (struct iopress_codec_context *context)
{
  libdeflate_free_compressor (context->compressor);
  libdeflate_free_decompressor (context->decompressor);
  free (context);
}

static struct iopress_codec_context *
gzip_open (int level, const char *parameters, size_t chunk_size)
{
  struct iopress_codec_context *context = calloc (1, sizeof *context);

  (void) parameters;
  (void) chunk_size;
  if (context == NULL)
    return NULL;
  context->compressor = libdeflate_alloc_compressor (level);
  context->decompressor = libdeflate_alloc_decompressor ();
  if (context->compressor == NULL || context->decompressor == NULL) {
    gzip_close (context);
    return NULL;
  }
  return context;
}

/* A compressor of the library has one level. */
static int
gzip_set_level (struct iopress_codec_context *context, int level)
{
  struct libdeflate_compressor *compressor =
    libdeflate_alloc_compressor (level);

  if (compressor == NULL)
    return -1;
  libdeflate_free_compressor (context->compressor);
  context->compressor = compressor;
  return 0;
}

static size_t
gzip_compress (struct iopress_codec_context *context,
               const void *input, size_t input_length,
               void *output, size_t output_size)
{
  size_t length = libdeflate_gzip_compress (context->compressor, input,
                                            input_length, output,
                                            output_size);

  if (length > 0)
    return length;
  /* It is the library's only failure. */
  context->error = "the frame does not fit";
  return IOPRESS_CODEC_NO_ROOM;
}

static size_t
gzip_decompress (struct iopress_codec_context *context,
                 const void *input, size_t input_length,
                 void *output, size_t output_length)
{
  size_t read = 0, written = 0;

  switch (libdeflate_gzip_decompress_ex (context->decompressor, input,
                                         input_length, output, output_length,
                                         &read, &written)) {
  case LIBDEFLATE_SUCCESS:
    if (read == input_length && written == output_length)
      return output_length;
    context->error = "the frame does not have the expected length";
    break;
  case LIBDEFLATE_INSUFFICIENT_SPACE:
    context->error = "the frame is longer than it should be";
    break;
  default:
    context->error = "not a gzip frame, or a damaged one";
    break;
  }
  return IOPRESS_CODEC_ERROR;
}

static const char *
gzip_error_text (struct iopress_codec_context *context)
{
  return context->error;
}

/* The magic, "deflate", and no name or comment: as the library writes it. */
static int
gzip_is_frame (const void *input, size_t input_length)
{
  return iopress_codec_begins (input, input_length, "\x1f\x8b\x08\0", 4);
}

static struct iopress_codec gzip_codec = {
  .name = "gzip",
  .version = gzip_version,
  .level_min = 1,
  .level_max = 12,
  .level_default = 1,
  .bound = gzip_bound,
  .open = gzip_open,
  .close = gzip_close,
  .compress = gzip_compress,
  .decompress = gzip_decompress,
  .error_text = gzip_error_text,
  .set_level = gzip_set_level,
  .is_frame = gzip_is_frame,
};

IOPRESS_REGISTER_CODEC (gzip_codec)
