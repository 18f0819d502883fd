/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one checksum of the image format: XXH3, 64 bits, seed 0. */

#include <config.h>

/* The streaming state on the stack needs the struct, which libxxhash only
 * shows on request; all calls still go to the shared library.
 */
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>
/* The same functions for the vectors that the processor has. */
#ifdef HAVE_XXH_DISPATCH
# include <xxh_x86dispatch.h>
#endif

#include "util/checksum.h"

uint64_t
checksum (const void *bytes, size_t length)
{
  return XXH3_64bits (bytes, length);
}

uint64_t
checksum_two (const void *first, size_t first_length,
              const void *second, size_t second_length)
{
  XXH3_state_t state;

  XXH3_64bits_reset (&state);
  XXH3_64bits_update (&state, first, first_length);
  XXH3_64bits_update (&state, second, second_length);
  return XXH3_64bits_digest (&state);
}

/* The state is the library's own, under our name. */
static XXH3_state_t *
state_of (struct checksum_parts *parts)
{
  return (XXH3_state_t *) parts;
}

struct checksum_parts *
checksum_begin (void)
{
  XXH3_state_t *state = XXH3_createState ();

  if (state != NULL)
    XXH3_64bits_reset (state);
  return (struct checksum_parts *) state;
}

void
checksum_add (struct checksum_parts *parts, const void *bytes, size_t length)
{
  XXH3_64bits_update (state_of (parts), bytes, length);
}

uint64_t
checksum_end (struct checksum_parts *parts)
{
  uint64_t sum = XXH3_64bits_digest (state_of (parts));

  XXH3_freeState (state_of (parts));
  return sum;
}
