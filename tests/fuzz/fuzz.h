/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fuzz targets share.  Each target is linked with outcomes.c,
 * reseal.c, and either driver.c, which runs it a bounded number of times, or
 * mutator.c and libFuzzer or AFL++ (docs/hacking.md, "Fuzzing").
 */

#ifndef IOPRESS_TESTS_FUZZ_H
#define IOPRESS_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/error.h"

/* Longest input that the driver makes, in bytes. */
#define FUZZ_BYTES_MAX (32u << 10)

/* A broken promise of the code under test. */
#define FUZZ_ASSERT(condition)                                               \
  do {                                                                       \
    if (!(condition)) {                                                      \
      fprintf (stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__,          \
               #condition);                                                  \
      abort ();                                                              \
    }                                                                        \
  } while (0)

/* The target.  Takes any bytes; aborts when a promise is broken. */
int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t length);

/* Of each target: write valid input NUMBER, counted from 0, into BYTES, which
 * has room for FUZZ_BYTES_MAX.  Returns its length, or 0 when there is no
 * such input.
 */
size_t fuzz_seed (unsigned int number, uint8_t *bytes);

/* Of each target: the number of different messages that its decoders have,
 * all of which the driver must have seen; and how many mutations that takes, or
 * as many as take a second or two.
 */
extern const unsigned int fuzz_message_count;
extern const unsigned long fuzz_mutation_count;

/* Make the checksums of all parts of an image right that are found in BYTES by
 * their magics, and those of other parts' checksums.
 */
void fuzz_reseal (uint8_t *bytes, size_t length);

/* Run a decoder's RESULT and ERR through the checks that hold for all of
 * them, and count it.  Returns whether it accepted its input.
 */
int fuzz_outcome (int result, const struct error *err);

/* Count an input that was accepted, or not, by what has no messages of its own.
 */
void fuzz_count (int is_accepted);

/* What these two have counted; messages that differ only in numbers are
 * the same.
 */
unsigned long fuzz_accepted (void);
unsigned long fuzz_refused (void);
unsigned int fuzz_messages (void);

/* Write the messages seen to FILE, one a line. */
void fuzz_print_messages (FILE *file);

#endif /* IOPRESS_TESTS_FUZZ_H */
