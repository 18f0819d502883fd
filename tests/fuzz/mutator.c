/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What makes a fuzz target a program of libFuzzer or of AFL++ (configure
 * --enable-fuzz, contrib/fuzz), in the place of driver.c.
 */

#include <config.h>

#include <errno.h>
#include <string.h>

#include "fuzz.h"

/* Of libFuzzer; AFL++ has none, nor calls what needs it: there the checksums
 * are made right by afl.c.
 */
size_t LLVMFuzzerMutate (uint8_t *bytes, size_t length, size_t room)
  __attribute__ ((weak));

/* Called by both, before all else. */
int LLVMFuzzerInitialize (int *argc, char ***argv);

/* Called by libFuzzer. */
size_t LLVMFuzzerCustomMutator (uint8_t *bytes, size_t length, size_t room,
                                unsigned int seed);

static void
write_seed (const char *folder, unsigned int number, const uint8_t *bytes,
            size_t length)
{
  char path[4096];
  FILE *file;

  snprintf (path, sizeof path, "%s/seed-%u", folder, number);
  file = fopen (path, "wb");
  if (file == NULL || fwrite (bytes, 1, length, file) != length ||
      fclose (file) != 0) {
    fprintf (stderr, "%s: %s\n", path, strerror (errno));
    exit (EXIT_FAILURE);
  }
}

/* "--seeds FOLDER" writes the valid inputs there, and that is all. */
int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  static uint8_t bytes[FUZZ_BYTES_MAX];
  unsigned int number;
  size_t length;

  if (*argc != 3 || strcmp ((*argv)[1], "--seeds") != 0)
    return 0;
  for (number = 0; (length = fuzz_seed (number, bytes)) != 0; number++)
    write_seed ((*argv)[2], number, bytes, length);
  exit (EXIT_SUCCESS);
}

/* One mutation in four keeps its wrong checksums. */
size_t
LLVMFuzzerCustomMutator (uint8_t *bytes, size_t length, size_t room,
                         unsigned int seed)
{
  length = LLVMFuzzerMutate (bytes, length, room);
  if (seed % 4 != 0)
    fuzz_reseal (bytes, length);
  return length;
}
