/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images for the tests of src/image, of a source that can be computed, packed
 * by a codec that can be told to fail and to wait.
 */

#ifndef IOPRESS_TESTS_SAMPLE_H
#define IOPRESS_TESTS_SAMPLE_H

#include <stdatomic.h>

#include "image/decode.h"
#include "image/encode.h"
#include "image/image.h"

#define SAMPLE_CHUNK CHUNK_BYTES_MIN
#define SAMPLE_PAGES (SAMPLE_CHUNK / PAGE_BYTES)
#define SAMPLE_WINDOWS 61u

/* The prefix ends within the second page. */
#define SAMPLE_PREFIX 5000u

/* What the codec does, and how often each window was decompressed; those that
 * are stored, and the last one, are not counted.
 */
struct sample_codec {
  atomic_bool fails, lies, cannot_open;
  atomic_int opened;           /* the level of the last context */
  atomic_uint contexts;        /* open ones */
  atomic_uint decompressed[SAMPLE_WINDOWS];
  /* Decompressing this window waits until it is another one. */
  atomic_uint held;
};
#define SAMPLE_HELD_NONE UINT32_MAX
extern struct sample_codec sample_codec;
extern const struct codec sample_codec_loaded;

/* Forget what the codec did, and let it work. */
void sample_codec_reset (void);

/* A header for a source of SOURCE_BYTES. */
struct file_header sample_header (uint64_t source_bytes);

/* Byte OFFSET of the source.  Windows are full, partly there, or empty. */
uint8_t sample_byte (uint64_t offset);

/* Whether WINDOW has a record. */
bool sample_has_window (uint64_t window);

/* Fill BUFFER with LENGTH bytes of the source, or fail the test unless it has
 * them.
 */
void sample_fill (uint64_t offset, uint8_t *buffer, size_t length);
void sample_check (uint64_t offset, const uint8_t *buffer, size_t length);

/* WINDOW with its pages at their places, in PAGES (SAMPLE_CHUNK bytes). */
void sample_window (uint64_t number, const struct file_header *header,
                    uint8_t *pages, struct window *window);

/* An open image of such a source, and how to decode it. */
struct sample {
  struct file file;
  struct image *image;
  struct decoding decoding;
};

/* Write an image of SAMPLE_WINDOWS windows, the last of which ends within its
 * third page, and open it with DIRECT.  Any failure fails the test.
 */
void sample_open (struct sample *sample, enum direct_io direct);
void sample_close (struct sample *sample);

/* Change one byte of the record of index entry ENTRY, or put it back. */
void sample_damage (const struct sample *sample, uint64_t entry, size_t at);

/* The number of the index entry of WINDOW. */
uint64_t sample_entry (const struct sample *sample, uint64_t window);

#endif /* IOPRESS_TESTS_SAMPLE_H */
