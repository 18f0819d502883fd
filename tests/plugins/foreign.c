/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Codec plugin "foreign": of nobody the program knows. */

#include <config.h>

#include "lib/run_codec.h"

static struct iopress_codec foreign;

IOPRESS_REGISTER_CODEC (foreign)

static void __attribute__ ((constructor))
take_run_codec (void)
{
  foreign = run_codec;
  foreign.name = "foreign";
}
