/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running tests for each shipped codec, and data to give it. */

#ifndef IOPRESS_TESTS_SHIPPED_H
#define IOPRESS_TESTS_SHIPPED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugin/loader.h"

/* Largest input of a codec, in bytes. */
#define SAMPLE_MAX ((size_t) 16 << 20)

enum sample {
  SAMPLE_ZEROS,
  SAMPLE_RANDOM,
  SAMPLE_TEXT,
  SAMPLE_MIXED,                /* pages of each of the other kinds */
  SAMPLE_KINDS,
};

/* Fill LENGTH bytes; the same SAMPLE and SEED give the same bytes. */
void sample_fill (enum sample sample, uint32_t seed, uint8_t *bytes,
                  size_t length);

/* The next number after *STATE, which must not be zero. */
uint32_t next_random (uint32_t *state);

/* Buffers whose end is the end of the accessible memory, so that reading or
 * writing one byte too far is fatal.
 */
enum buffer { BUFFER_INPUT, BUFFER_FRAME, BUFFER_OUTPUT, BUFFER_COUNT };

/* The last LENGTH bytes of BUFFER, up to SAMPLE_MAX + 1 MiB. */
uint8_t *buffer_end (enum buffer buffer, size_t length);

/* Open a context or fail the test. */
struct iopress_codec_context *open_context (const struct codec *codec,
                                            int level, size_t chunk_size);

/* Put a sample into BUFFER_INPUT and compress it.  Returns the frame, which
 * is *FRAME_LENGTH bytes at the end of BUFFER_FRAME.
 */
uint8_t *make_frame (const struct codec *codec,
                     struct iopress_codec_context *context,
                     enum sample sample, uint32_t seed, size_t length,
                     size_t *frame_length);

/* Decompress FRAME to LENGTH bytes in BUFFER_OUTPUT and fail the test unless
 * they equal the last LENGTH bytes of BUFFER_INPUT.
 */
void assert_decompresses (const struct codec *codec,
                          struct iopress_codec_context *context,
                          const uint8_t *frame, size_t frame_length,
                          size_t length);

/* Run the COUNT tests for each word of SHIPPED_CODECS; a test finds its
 * struct codec in *STATE.  Returns the exit status.
 */
int run_for_shipped (const struct CMUnitTest *tests, size_t count);

#endif /* IOPRESS_TESTS_SHIPPED_H */
