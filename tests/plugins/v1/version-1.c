/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Codec plugin "version-1", which stands for the binaries that were built with
 * the first iopress-plugin.h.  Neither this file nor the header beside it is
 * ever changed: every later host has to work with what they make.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iopress-plugin.h"

_Static_assert (sizeof (struct iopress_codec) == 96, "not the first struct");

struct iopress_codec_context {
  unsigned char key;
  const char *error;
};

static const char *
version (void)
{
  return "1";
}

static size_t
bound (size_t length)
{
  return length + 10;
}

/* "key=X", which one byte of the frame tells. */
static int
check_parameters (int level, const char *parameters, char *message,
                  size_t message_size)
{
  (void) level;
  if (strncmp (parameters, "key=", 4) == 0 && strlen (parameters) == 5)
    return 0;
  snprintf (message, message_size, "the only parameter is key=X");
  return -1;
}

static struct iopress_codec_context *
open_context (int level, const char *parameters, size_t chunk_size)
{
  struct iopress_codec_context *context = calloc (1, sizeof *context);

  (void) level;
  (void) chunk_size;
  if (context != NULL && parameters[0] != '\0')
    context->key = (unsigned char) parameters[4];
  return context;
}

static void
close_context (struct iopress_codec_context *context)
{
  free (context);
}

/* "V", the key, the length and what is kept of it in four bytes each, and all but
 * the zeros at the end.
 */
static size_t
compress (struct iopress_codec_context *context,
          const void *input, size_t input_length,
          void *output, size_t output_size)
{
  const unsigned char *from = input;
  unsigned char *to = output;
  unsigned int length = (unsigned int) input_length;

  context->error = "the frame does not fit";
  while (input_length > 0 && from[input_length - 1] == 0)
    input_length--;
  if (output_size < input_length + 10)
    return IOPRESS_CODEC_NO_ROOM;
  to[0] = 'V';
  to[1] = context->key;
  memcpy (to + 2, &length, 4);
  length = (unsigned int) input_length;
  memcpy (to + 6, &length, 4);
  memcpy (to + 10, from, input_length);
  return input_length + 10;
}

static size_t
decompress (struct iopress_codec_context *context,
            const void *input, size_t input_length,
            void *output, size_t output_length)
{
  const unsigned char *from = input;
  unsigned char *to = output;
  unsigned int length, kept;

  context->error = "not a frame of version 1";
  if (input_length < 10 || from[0] != 'V')
    return IOPRESS_CODEC_ERROR;
  memcpy (&length, from + 2, 4);
  memcpy (&kept, from + 6, 4);
  if (length != output_length || kept > length || kept != input_length - 10)
    return IOPRESS_CODEC_ERROR;
  memcpy (to, from + 10, kept);
  memset (to + kept, 0, output_length - kept);
  return output_length;
}

static const char *
error_text (struct iopress_codec_context *context)
{
  return context->error;
}

static struct iopress_codec codec = {
  .name = "version-1",
  .version = version,
  .level_min = 0,
  .level_max = 3,
  .level_default = 1,
  .chunk_size = 131072,
  .bound = bound,
  .check_parameters = check_parameters,
  .open = open_context,
  .close = close_context,
  .compress = compress,
  .decompress = decompress,
  .error_text = error_text,
};

IOPRESS_REGISTER_CODEC (codec)
