/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all files of a mount share. */

#include <config.h>

#include <errno.h>

#include "mount/mounting.h"
#include "mount/windows.h"

int
mounting_say_error (const struct mounting *mounting, const struct error *err)
{
  char line[sizeof *err];

  error_format (err, line, sizeof line);
  mounting->say (SAY_ERROR, line);
  return err->errnum > 0 ? err->errnum : EIO;
}

uint64_t
mount_least_memory (uint32_t chunk_bytes)
{
  uint64_t reading = window_cache_least (chunk_bytes);
  uint64_t writing = windows_least_memory (chunk_bytes);
  uint64_t packing = 2 * (uint64_t) chunk_bytes;

  reading = divide_up (5 * reading, VIEWS_FIFTHS);
  writing = divide_up (5 * writing, WINDOWS_FIFTHS);
  packing = divide_up (5 * packing, PACKING_FIFTHS);
  return maximum_u64 (maximum_u64 (reading, writing), packing);
}
