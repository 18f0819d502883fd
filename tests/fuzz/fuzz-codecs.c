/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzz target: the codecs.  The first byte says which, the next three how many
 * bytes a frame is to give (le24); any bytes follow as the frame, and as what
 * to make a frame of.
 */

#include <config.h>

#include <string.h>

#include "format/format.h"
#include "fuzz.h"
#include "plugin/loader.h"
#include "program.h"

const unsigned int fuzz_message_count = 0;
const unsigned long fuzz_mutation_count = 3000;

#define HEAD_BYTES 4u

static struct iopress_codec_context *
open_context (const struct codec *codec)
{
  struct iopress_codec_context *context =
    codec->ops.open (codec->ops.level_default, "", CHUNK_BYTES_MIN);

  FUZZ_ASSERT (context != NULL);
  return context;
}

/* Memory of exactly that length, so that a sanitizer sees a byte too many. */
static uint8_t *
make_room (size_t length)
{
  uint8_t *room = calloc (1, length != 0 ? length : 1);

  FUZZ_ASSERT (room != NULL);
  return room;
}

/* A frame is decoded, or not, whatever the context did before. */
static void
try_frame (const struct codec *codec, const uint8_t *frame, size_t length,
           size_t raw_length)
{
  struct iopress_codec_context *context = open_context (codec);
  uint8_t *first = make_room (raw_length), *second = make_room (raw_length);
  size_t result = codec->ops.decompress (context, frame, length, first,
                                         raw_length);

  FUZZ_ASSERT (result == raw_length || result == IOPRESS_CODEC_ERROR);
  FUZZ_ASSERT (codec->ops.decompress (context, frame, length, second,
                                      raw_length) == result);
  FUZZ_ASSERT (result != raw_length ||
               memcmp (first, second, raw_length) == 0);
  FUZZ_ASSERT (codec_error_text (codec, context)[0] != '\0');
  fuzz_count (result == raw_length);
  free (first);
  free (second);
  codec->ops.close (context);
}

static void
try_pages (const struct codec *codec, const uint8_t *pages, size_t length)
{
  struct iopress_codec_context *context = open_context (codec);
  size_t room = codec->ops.bound (length), frame_length;
  uint8_t *frame = make_room (room), *again = make_room (length);

  frame_length = codec->ops.compress (context, pages, length, frame, room);
  FUZZ_ASSERT (frame_length <= room);
  FUZZ_ASSERT (codec->ops.is_frame == NULL ||
               codec->ops.is_frame (frame, frame_length) == 1);
  FUZZ_ASSERT (codec->ops.decompress (context, frame, frame_length, again,
                                      length) == length);
  FUZZ_ASSERT (memcmp (pages, again, length) == 0);
  free (frame);
  free (again);
  codec->ops.close (context);
}

static const struct codec *
codec_of (uint8_t number)
{
  struct codec *const *codecs = fuzz_codecs ();
  unsigned int count = 0;

  while (codecs[count] != NULL)
    count++;
  return codecs[number % count];
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t length)
{
  const struct codec *codec;
  size_t raw_length;

  if (length <= HEAD_BYTES)
    return 0;
  codec = codec_of (bytes[0]);
  raw_length = get_le32 (bytes) >> 8 & 0x1ffff;
  bytes += HEAD_BYTES;
  length -= HEAD_BYTES;
  if (codec->ops.is_frame != NULL)
    codec->ops.is_frame (bytes, length);
  if (raw_length > 0)
    try_frame (codec, bytes, length, raw_length);
  if (length <= CHUNK_BYTES_MIN)
    try_pages (codec, bytes, length);
  return 0;
}

size_t
fuzz_seed (unsigned int number, uint8_t *bytes)
{
  struct codec *const *codecs = fuzz_codecs ();
  struct iopress_codec_context *context;
  uint8_t pages[8192];
  size_t length;

  if (codecs[number] == NULL)
    return 0;
  memset (pages, 'a', sizeof pages);
  for (length = 0; length < 300; length++)
    pages[length * 11] = (uint8_t) (length * length);
  context = open_context (codecs[number]);
  put_le32 (bytes, sizeof pages << 8 | number);
  length = codecs[number]->ops.compress (context, pages, sizeof pages,
                                         bytes + HEAD_BYTES,
                                         FUZZ_BYTES_MAX - HEAD_BYTES);
  FUZZ_ASSERT (length < FUZZ_BYTES_MAX);
  codecs[number]->ops.close (context);
  return HEAD_BYTES + length;
}
