/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A custom mutator for AFL++, which loads it as a module: what AFL++ has made
 * gets right checksums (contrib/fuzz).
 */

#include <config.h>

#include <string.h>

#include "fuzz.h"

/* What AFL++ calls (its docs/custom_mutators.md). */
void *afl_custom_init (void *afl, unsigned int seed);
size_t afl_custom_post_process (void *opaque, unsigned char *bytes,
                                size_t length, unsigned char **result);
void afl_custom_deinit (void *opaque);

/* AFL++ wants something that is not NULL. */
struct resealed {
  unsigned int count;
  uint8_t *bytes;
};

void *
afl_custom_init (void *afl, unsigned int seed)
{
  (void) afl;
  (void) seed;
  return calloc (1, sizeof (struct resealed));
}

/* One input in four keeps its wrong checksums. */
size_t
afl_custom_post_process (void *opaque, unsigned char *bytes, size_t length,
                         unsigned char **result)
{
  struct resealed *resealed = opaque;
  uint8_t *copy = realloc (resealed->bytes, length != 0 ? length : 1);

  *result = bytes;
  if (copy == NULL)
    return length;
  resealed->bytes = copy;
  if (resealed->count++ % 4 != 0) {
    memcpy (copy, bytes, length);
    fuzz_reseal (copy, length);
    *result = copy;
  }
  return length;
}

void
afl_custom_deinit (void *opaque)
{
  struct resealed *resealed = opaque;

  free (resealed->bytes);
  free (resealed);
}
