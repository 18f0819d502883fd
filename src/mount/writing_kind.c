/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What kind of source a file is that was written. */

#include <config.h>

#include <unistd.h>

#include "image/source_layout.h"
#include "mount/writing_private.h"

/* Of the bitmaps, while they are looked at: those of 1 TiB of memory. */
#define KEPT_BYTES_MAX (UINT64_C (32) << 20)

static int
read_source (void *opaque, uint64_t offset, void *buffer, size_t length,
             struct error *err)
{
  const struct writing *writing = opaque;
  int result;

  if (offset > writing->size || length > writing->size - offset)
    return error_set (err, ERROR_BAD_INPUT, 0, "it ends before");
  result = writing_read_alone (opaque, offset, buffer, length);
  return result == 0 ? 0
    : error_set (err, ERROR_FAILED, result, "cannot be read");
}

static uint64_t
next_data (void *opaque, uint64_t offset)
{
  const struct writing *writing = opaque;
  uint64_t found;

  return writing_seek (opaque, offset, SEEK_DATA, &found) == 0 ? found
    : writing->size;
}

void
writing_find_kind (struct writing *writing)
{
  const struct read_at at = {
    .read = read_source,
    .next_data = next_data,
    .opaque = writing,
    .size = writing->size,
    .kept_bytes_max = KEPT_BYTES_MAX,
  };
  struct file_header *header = &writing->header;
  struct source_layout layout;
  struct error ignored = { 0 };

  header->kind = IMAGE_RAW;
  if (source_layout_parse (&at, IMAGE_MAPPED_RAM, header->prefix_bytes,
                           &layout, &ignored) < 0)
    return;
  header->kind = IMAGE_MAPPED_RAM;
  /* A file system gives back what was written to it, whatever QEMU would do
   * with that.
   */
  if (writing->fresh)
    header->compatible |= FEATURE_EXACT;
  source_layout_free (&layout);
}
