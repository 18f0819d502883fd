/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress-plugin.h stands alone in C++. */

#include "iopress-plugin.h"

struct iopress_codec_context {
  size_t chunk_size;
};

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

static iopress_codec_context *
open_context (int, const char *, size_t chunk_size)
{
  return new iopress_codec_context { chunk_size };
}

static void
close_context (iopress_codec_context *context)
{
  delete context;
}

static size_t
fail (iopress_codec_context *, const void *, size_t, void *, size_t)
{
  return IOPRESS_CODEC_ERROR;
}

static iopress_codec
make_codec ()
{
  iopress_codec codec = iopress_codec ();

  codec.name = "cxx";
  codec.version = version;
  codec.level_max = 9;
  codec.bound = bound;
  codec.open = open_context;
  codec.close = close_context;
  codec.compress = fail;
  codec.decompress = fail;
  return codec;
}

static iopress_codec codec = make_codec ();

IOPRESS_REGISTER_CODEC (codec)

int
main ()
{
  const iopress_codec *entry = iopress_codec_entry ();

  return entry == &codec && entry->abi == IOPRESS_CODEC_ABI &&
    entry->struct_size == sizeof codec ? 0 : 1;
}
