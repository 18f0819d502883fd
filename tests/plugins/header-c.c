/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress-plugin.h stands alone in C, and its layout stays as it is. */

#include "iopress-plugin.h"

static const char *
version (void)
{
  return "1";
}

static size_t
bound (size_t length)
{
  return length;
}

static struct iopress_codec_context *
open_context (int level, const char *parameters, size_t chunk_size)
{
  (void) level;
  (void) parameters;
  (void) chunk_size;
  return NULL;
}

static void
close_context (struct iopress_codec_context *context)
{
  (void) context;
}

static size_t
fail (struct iopress_codec_context *context, const void *input,
      size_t input_length, void *output, size_t output_size)
{
  (void) context;
  (void) input;
  (void) input_length;
  (void) output;
  (void) output_size;
  return IOPRESS_CODEC_ERROR;
}

static struct iopress_codec codec = {
  .name = "c",
  .version = version,
  .level_max = 9,
  .bound = bound,
  .open = open_context,
  .close = close_context,
  .compress = fail,
  .decompress = fail,
};

IOPRESS_REGISTER_CODEC (codec)

/* Old plugin binaries depend on these; members are only added at the end. */
#define ASSERT_OFFSET(member, offset)                                        \
  _Static_assert (sizeof (void *) != 8 ||                                    \
                  offsetof (struct iopress_codec, member) == (offset),       \
                  #member " has moved")

ASSERT_OFFSET (abi, 0);
ASSERT_OFFSET (struct_size, 4);
ASSERT_OFFSET (name, 8);
ASSERT_OFFSET (version, 16);
ASSERT_OFFSET (level_min, 24);
ASSERT_OFFSET (level_max, 28);
ASSERT_OFFSET (level_default, 32);
ASSERT_OFFSET (chunk_size, 36);
ASSERT_OFFSET (bound, 40);
ASSERT_OFFSET (check_parameters, 48);
ASSERT_OFFSET (open, 56);
ASSERT_OFFSET (close, 64);
ASSERT_OFFSET (compress, 72);
ASSERT_OFFSET (decompress, 80);
ASSERT_OFFSET (error_text, 88);
ASSERT_OFFSET (set_level, 96);
ASSERT_OFFSET (is_frame, 104);

int
main (void)
{
  const struct iopress_codec *entry = iopress_codec_entry ();

  return entry == &codec && entry->abi == IOPRESS_CODEC_ABI &&
    entry->struct_size == sizeof codec ? 0 : 1;
}
