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

#define ASSERT_PARAMETER(member, offset)                                     \
  _Static_assert (sizeof (void *) != 8 ||                                    \
                  offsetof (struct iopress_codec_parameter, member) ==       \
                  (offset), #member " has moved")
#define ASSERT_SIZE(type, size)                                              \
  _Static_assert (sizeof (void *) != 8 || sizeof (type) == (size),           \
                  #type " has another size")

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
ASSERT_OFFSET (parameters, 112);
ASSERT_OFFSET (parameter_size, 120);
ASSERT_SIZE (struct iopress_codec, 128);
ASSERT_PARAMETER (key, 0);
ASSERT_PARAMETER (type, 8);
ASSERT_PARAMETER (minimum, 16);
ASSERT_PARAMETER (maximum, 24);
ASSERT_PARAMETER (choices, 32);
ASSERT_PARAMETER (help, 40);
ASSERT_SIZE (struct iopress_codec_parameter, 48);

/* What a parameter text says. */
static int
check_values (void)
{
  static const char text[] = "fast,long=-27,mode=text";

  return iopress_codec_value (text, "fast") == text + 4 &&
    iopress_codec_value (text, "fas") == NULL &&
    iopress_codec_value (text, "faster") == NULL &&
    iopress_codec_value ("", "fast") == NULL &&
    iopress_codec_integer (text, "long", 3) == -27 &&
    iopress_codec_integer (text, "lon", 3) == 3 &&
    iopress_codec_chosen (text, "mode", "text") == 1 &&
    iopress_codec_chosen (text, "mode", "tex") == 0 &&
    iopress_codec_chosen (text, "mode", "texts") == 0 &&
    iopress_codec_chosen (text, "fast", "") == 1;
}

/* What bytes begin with. */
static int
check_begins (void)
{
  return iopress_codec_begins ("ab\0cd", 5, "ab\0c", 4) == 1 &&
    iopress_codec_begins ("ab\0c", 4, "ab\0c", 4) == 1 &&
    iopress_codec_begins ("ab\0c", 3, "ab\0c", 4) == 0 &&
    iopress_codec_begins ("ab\0d", 4, "ab\0c", 4) == 0 &&
    iopress_codec_begins ("", 0, "ab\0c", 4) == 0;
}

int
main (void)
{
  const struct iopress_codec *entry = iopress_codec_entry ();

  return entry == &codec && entry->abi == IOPRESS_CODEC_ABI &&
    entry->struct_size == sizeof codec &&
    entry->parameter_size == sizeof (struct iopress_codec_parameter) &&
    check_begins () && check_values () ? 0 : 1;
}
