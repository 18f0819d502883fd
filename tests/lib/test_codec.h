/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A codec that copies.  The plugins of the tests begin as it and change what
 * they are about.
 */

#ifndef IOPRESS_TESTS_TEST_CODEC_H
#define IOPRESS_TESTS_TEST_CODEC_H

#include "iopress-plugin.h"

/* It has no name, and one level. */
extern const struct iopress_codec test_codec;

/* Without IOPRESS_REGISTER_CODEC, which would set what may be wrong here. */
extern __attribute__ ((visibility ("default")))
const struct iopress_codec *iopress_codec_entry (void);

#endif /* IOPRESS_TESTS_TEST_CODEC_H */
