/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A codec that keeps the length of runs of zeros only. */

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "lib/run_codec.h"

#define HEAD 5u                /* the magic and the level */
#define PAIR 8u                /* both numbers */

static const unsigned char magic[4] = { 'R', 'U', 'N', 'S' };

struct iopress_codec_context {
  int level;
  const char *error;
};

static const char *
run_version (void)
{
  return "1.0";
}

/* One pair more than there can be runs worth one. */
static size_t
run_bound (size_t length)
{
  return HEAD + PAIR + length;
}

static struct iopress_codec_context *
run_open (int level, const char *parameters, size_t chunk_size)
{
  struct iopress_codec_context *context = calloc (1, sizeof *context);

  (void) parameters;
  (void) chunk_size;
  if (context != NULL)
    context->level = level;
  return context;
}

static void
run_close (struct iopress_codec_context *context)
{
  free (context);
}

static int
run_set_level (struct iopress_codec_context *context, int level)
{
  context->level = level;
  return 0;
}

static void
put_number (unsigned char *to, size_t number)
{
  unsigned int i;

  for (i = 0; i < 4; i++)
    to[i] = (unsigned char) (number >> (8 * i));
}

static size_t
get_number (const unsigned char *from)
{
  return from[0] | (size_t) from[1] << 8 | (size_t) from[2] << 16 |
    (size_t) from[3] << 24;
}

static size_t
count_zeros (const unsigned char *from, const unsigned char *end)
{
  const unsigned char *at = from;

  while (at < end && *at == 0)
    at++;
  return (size_t) (at - from);
}

/* Where a run begins that is long enough, or END; higher levels take shorter
 * ones, but none that would not pay for its pair.
 */
static const unsigned char *
find_run (const unsigned char *from, const unsigned char *end, size_t least)
{
  size_t zeros;

  for (; from < end; from += zeros + (zeros == 0)) {
    zeros = count_zeros (from, end);
    if (zeros >= least)
      return from;
  }
  return end;
}

static size_t
run_compress (struct iopress_codec_context *context,
              const void *input, size_t input_length,
              void *output, size_t output_size)
{
  const unsigned char *from = input, *end = from + input_length, *run;
  unsigned char *to = output, *room = to + output_size;
  size_t least = (size_t) (1024 >> context->level), literals, zeros;

  context->error = "the frame does not fit";
  if (output_size < HEAD)
    return IOPRESS_CODEC_NO_ROOM;
  memcpy (to, magic, sizeof magic);
  to[sizeof magic] = (unsigned char) context->level;
  for (to += HEAD; from < end; from = run + zeros) {
    run = find_run (from, end, least);
    zeros = count_zeros (run, end);
    literals = (size_t) (run - from);
    if ((size_t) (room - to) < PAIR + literals)
      return IOPRESS_CODEC_NO_ROOM;
    put_number (to, literals);
    put_number (to + 4, zeros);
    memcpy (to + PAIR, from, literals);
    to += PAIR + literals;
  }
  return (size_t) (to - (unsigned char *) output);
}

static int
run_is_frame (const void *input, size_t input_length)
{
  return input_length >= HEAD + PAIR &&
    memcmp (input, magic, sizeof magic) == 0;
}

static size_t
run_decompress (struct iopress_codec_context *context,
                const void *input, size_t input_length,
                void *output, size_t output_length)
{
  const unsigned char *from = input, *end = from + input_length;
  unsigned char *to = output;
  size_t left = output_length, literals, zeros;

  context->error = "not a frame of this codec";
  if (!run_is_frame (input, input_length))
    return IOPRESS_CODEC_ERROR;
  context->error = "the frame is damaged";
  for (from += HEAD; from < end; from += PAIR + literals) {
    if ((size_t) (end - from) < PAIR)
      return IOPRESS_CODEC_ERROR;
    literals = get_number (from);
    zeros = get_number (from + 4);
    if (literals + zeros == 0 ||
        literals > (size_t) (end - from) - PAIR || literals > left ||
        zeros > left - literals)
      return IOPRESS_CODEC_ERROR;
    memcpy (to, from + PAIR, literals);
    memset (to + literals, 0, zeros);
    to += literals + zeros;
    left -= literals + zeros;
  }
  return left == 0 ? output_length : IOPRESS_CODEC_ERROR;
}

static const char *
run_error_text (struct iopress_codec_context *context)
{
  return context->error;
}

const struct iopress_codec run_codec = {
  .abi = IOPRESS_CODEC_ABI,
  .struct_size = sizeof (struct iopress_codec),
  .version = run_version,
  .level_min = 1,
  .level_max = 6,
  .level_default = 2,
  .bound = run_bound,
  .open = run_open,
  .close = run_close,
  .compress = run_compress,
  .decompress = run_decompress,
  .error_text = run_error_text,
  .set_level = run_set_level,
  .is_frame = run_is_frame,
};
