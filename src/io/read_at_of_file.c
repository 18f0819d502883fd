/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The read-at face of a file. */

#include <config.h>

#include "io/file.h"

static int
read_file (void *opaque, uint64_t offset, void *buffer, size_t length,
           struct error *err)
{
  return file_read_at (opaque, offset, buffer, length, err);
}

static uint64_t
next_data (void *opaque, uint64_t offset)
{
  return file_next_data (opaque, offset);
}

struct read_at
read_at_of_file (const struct file *file)
{
  return (struct read_at) {
    .read = read_file,
    .next_data = next_data,
    /* The callbacks only read it. */
    .opaque = (struct file *) file,
    .size = file->size,
  };
}
