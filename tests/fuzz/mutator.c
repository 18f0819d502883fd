/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lets libFuzzer get past the checksums: it begins with valid inputs, and
 * most of its mutations have their checksums made right.  For example:
 *
 *   clang -g -fsanitize=fuzzer,address,undefined -I BUILD -I src \
 *     tests/fuzz/fuzz-record.c tests/fuzz/mutator.c tests/fuzz/outcomes.c \
 *     src/format/[a-z]*.c src/util/bytes.c src/util/checksum.c \
 *     src/util/error.c -lxxhash
 */

#include <config.h>

#include <string.h>

#include "fuzz.h"

/* Of libFuzzer. */
size_t LLVMFuzzerMutate (uint8_t *bytes, size_t length, size_t room);

/* Called by libFuzzer. */
size_t LLVMFuzzerCustomMutator (uint8_t *bytes, size_t length, size_t room,
                                unsigned int seed);

/* A valid input in place of the one that libFuzzer has, when it fits. */
static size_t
begin_again (unsigned int number, uint8_t *bytes, size_t room)
{
  static uint8_t valid[FUZZ_BYTES_MAX];
  size_t length = fuzz_seed (number, valid);

  if (length == 0)
    length = fuzz_seed (0, valid);
  if (length > room)
    return 0;
  memcpy (bytes, valid, length);
  return length;
}

size_t
LLVMFuzzerCustomMutator (uint8_t *bytes, size_t length, size_t room,
                         unsigned int seed)
{
  if (length < 8 || seed % 256 == 0)
    length = begin_again (seed / 256 % 8, bytes, room);
  length = LLVMFuzzerMutate (bytes, length, room);
  if (seed % 4 != 0)
    fuzz_repair (bytes, length);
  return length;
}
