/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A codec that keeps the length of runs of zeros only, with every member a
 * codec can have: what somebody else could have written.  A frame is
 *
 *   "RUNS" LEVEL { LITERALS ZEROS BYTE... }...
 *
 * one byte LEVEL, two numbers of four bytes, little-endian, and LITERALS bytes.
 */

#ifndef IOPRESS_TESTS_RUN_CODEC_H
#define IOPRESS_TESTS_RUN_CODEC_H

#include "iopress-plugin.h"

/* Without a name. */
extern const struct iopress_codec run_codec;

#endif /* IOPRESS_TESTS_RUN_CODEC_H */
