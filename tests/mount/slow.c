/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A codec that any disk outruns. */

#include <config.h>

#include <unistd.h>

#include "lib/run_codec.h"

#define PAUSE_US 30000

static size_t
compress_slowly (struct iopress_codec_context *context,
                 const void *input, size_t input_length,
                 void *output, size_t output_size)
{
  usleep (PAUSE_US);
  return run_codec.compress (context, input, input_length, output,
                             output_size);
}

extern __attribute__ ((visibility ("default")))
const struct iopress_codec *iopress_codec_entry (void);

const struct iopress_codec *
iopress_codec_entry (void)
{
  static struct iopress_codec codec;

  codec = run_codec;
  codec.name = "slow";
  codec.compress = compress_slowly;
  return &codec;
}
