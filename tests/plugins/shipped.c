/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running tests for each shipped codec, and data to give it. */

#include <config.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "private-folder.h"
#include "shipped.h"
#include "util/bytes.h"

#define BUFFER_BYTES (SAMPLE_MAX + (1u << 20))

uint32_t
next_random (uint32_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

static void
fill_text (uint32_t *state, uint8_t *bytes, size_t length)
{
  static const char *const words[] = {
    "guest ", "memory ", "page ", "of ", "the ", "window\n", "0x", "kernel ",
  };
  char word[32];
  size_t done = 0;

  while (done < length) {
    uint32_t random = next_random (state);
    size_t size;

    snprintf (word, sizeof word, "%s%u", words[random % 8],
              random >> 8 & 63);
    size = (size_t) minimum_u64 (strlen (word), length - done);
    memcpy (bytes + done, word, size);
    done += size;
  }
}

static void
fill_random (uint32_t *state, uint8_t *bytes, size_t length)
{
  size_t i;

  for (i = 0; i < length; i++)
    bytes[i] = (uint8_t) (next_random (state) >> 24);
}

static void
fill_one (enum sample sample, uint32_t *state, uint8_t *bytes, size_t length)
{
  if (sample == SAMPLE_RANDOM)
    fill_random (state, bytes, length);
  else if (sample == SAMPLE_TEXT)
    fill_text (state, bytes, length);
  else
    memset (bytes, 0, length);
}

void
sample_fill (enum sample sample, uint32_t seed, uint8_t *bytes,
             size_t length)
{
  uint32_t state = seed * 2654435761u + 1;
  size_t done, size;

  if (sample != SAMPLE_MIXED) {
    fill_one (sample, &state, bytes, length);
    return;
  }
  for (done = 0; done < length; done += size) {
    size = (size_t) minimum_u64 (PAGE_BYTES, length - done);
    fill_one (next_random (&state) % SAMPLE_MIXED, &state, bytes + done,
              size);
  }
}

static uint8_t *
make_buffer (void)
{
  size_t page = (size_t) sysconf (_SC_PAGESIZE);
  uint8_t *bytes = mmap (NULL, BUFFER_BYTES + page, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (bytes == MAP_FAILED ||
      mprotect (bytes + BUFFER_BYTES, page, PROT_NONE) == -1)
    err (EXIT_FAILURE, "cannot make a test buffer");
  return bytes;
}

uint8_t *
buffer_end (enum buffer buffer, size_t length)
{
  static uint8_t *buffers[BUFFER_COUNT];

  if (buffers[buffer] == NULL)
    buffers[buffer] = make_buffer ();
  assert_true (length <= BUFFER_BYTES);
  return buffers[buffer] + (BUFFER_BYTES - length);
}

struct iopress_codec_context *
open_context (const struct codec *codec, int level, size_t chunk_size)
{
  struct iopress_codec_context *context =
    codec->ops.open (level, "", chunk_size);

  assert_non_null (context);
  return context;
}

uint8_t *
make_frame (const struct codec *codec, struct iopress_codec_context *context,
            enum sample sample, uint32_t seed, size_t length,
            size_t *frame_length)
{
  size_t bound = codec->ops.bound (length);
  uint8_t *input = buffer_end (BUFFER_INPUT, length);
  uint8_t *output = buffer_end (BUFFER_FRAME, bound);
  uint8_t *frame;

  sample_fill (sample, seed, input, length);
  *frame_length = codec->ops.compress (context, input, length, output, bound);
  if (*frame_length == 0 || *frame_length > bound)
    fail_msg ("%zu bytes of sample %d: compress gave %zd of at most %zu",
              length, (int) sample, *frame_length, bound);
  frame = buffer_end (BUFFER_FRAME, *frame_length);
  memmove (frame, output, *frame_length);
  return frame;
}

void
assert_decompresses (const struct codec *codec,
                     struct iopress_codec_context *context,
                     const uint8_t *frame, size_t frame_length,
                     size_t length)
{
  uint8_t *output = buffer_end (BUFFER_OUTPUT, length);
  size_t result;

  memset (output, 0xa5, length);
  result = codec->ops.decompress (context, frame, frame_length, output,
                                  length);
  if (result != length)
    fail_msg ("%zu bytes: decompress gave %zd", length, result);
  if (memcmp (output, buffer_end (BUFFER_INPUT, length), length) != 0)
    fail_msg ("%zu bytes: other bytes came back", length);
}

static struct codec *
load (const struct private_folder *folder, const char *name)
{
  struct error error = { 0 };
  struct codec *codec;
  char from[4096], file[32], text[1024];

  snprintf (from, sizeof from, "%s/%s.so", PLUGIN_BUILD_FOLDER, name);
  snprintf (file, sizeof file, "%s.so", name);
  if (private_folder_copy (folder, from, file) == -1)
    err (EXIT_FAILURE, "%s", from);
  if (codec_load (folder->path, name, &codec, &error) == 0)
    return codec;
  error_format (&error, text, sizeof text);
  errx (EXIT_FAILURE, "%s", text);
}

static int
run_for_one (const struct private_folder *folder, const char *name,
             const struct CMUnitTest *tests, size_t count)
{
  struct codec *codec = load (folder, name);
  struct CMUnitTest copies[32];
  size_t i;
  int failed;

  if (count > sizeof copies / sizeof copies[0])
    errx (EXIT_FAILURE, "too many tests");
  for (i = 0; i < count; i++) {
    copies[i] = tests[i];
    copies[i].initial_state = codec;
  }
  failed = _cmocka_run_group_tests (name, copies, count, NULL, NULL);
  codec_unload (codec);
  return failed;
}

int
run_for_shipped (const struct CMUnitTest *tests, size_t count)
{
  char names[] = SHIPPED_CODECS;
  struct private_folder folder;
  char *rest = NULL, *name;
  int failed = 0, codecs = 0;

  private_folder_make (&folder);
  for (name = strtok_r (names, " ", &rest); name != NULL;
       name = strtok_r (NULL, " ", &rest), codecs++)
    failed += run_for_one (&folder, name, tests, count);
  private_folder_remove (&folder);
  return failed != 0 || codecs == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
