/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which bytes of a source have to be read. */

#include <config.h>

#include <errno.h>
#include <sys/stat.h>

#include "pipeline/intake_need.h"
#include "util/bytes.h"

/* More than QEMU writes beside the memory of 30 TiB. */
#define BESIDE_BYTES_MAX (UINT64_C (1) << 30)

/* What is read of the holes of a source that goes: so much, and this many times
 * what the source takes on the disk.
 */
#define HOLE_BYTES_MAX (UINT64_C (1) << 40)
#define HOLES_PER_DATA 64u

static int
check_holes (const struct file *file, uint64_t bytes, struct error *err)
{
  struct stat st;

  if (fstat (file->fd, &st) < 0)
    return error_about (err, ERROR_FAILED, errno, file->name,
                        "cannot be examined");
  if (bytes <= HOLE_BYTES_MAX ||
      (bytes - HOLE_BYTES_MAX) / HOLES_PER_DATA / 512 <=
      (uint64_t) st.st_blocks)
    return 0;
  error_about (err, ERROR_FAILED, 0, file->name, "is nearly all holes, too "
               "many to make sure of them before they go");
  return error_hint (err, "save it without --discard and --replace");
}

int
intake_need_find (const struct file *file, const struct mapped_ram *ram,
                  bool exact, bool goes, struct intake_need *need,
                  struct error *err)
{
  uint64_t beside = file->size;
  bool doubted = goes && !file_knows_holes (file);

  if (ram != NULL)
    beside -= mapped_ram_region_bytes (ram);
  *need = (struct intake_need) {
    .ram = ram,
    .exact = exact,
    .holes = doubted || (ram != NULL && beside <= BESIDE_BYTES_MAX),
  };
  return doubted ? check_holes (file, beside, err) : 0;
}

static uint64_t
next_data (const struct read_at *file, uint64_t offset)
{
  uint64_t data = file->next_data (file->opaque, offset);

  return maximum_u64 (align_down (data, PAGE_BYTES), offset);
}

/* The first page that a bitmap calls present, or that is in no region and not
 * in a hole, unless these count, too.
 */
static uint64_t
next_present (const struct intake_need *need, const struct read_at *file,
              uint64_t offset)
{
  for (;;) {
    uint64_t page = mapped_ram_next_present (need->ram, offset);
    uint64_t region = mapped_ram_next_region (need->ram, page), data;

    if (need->holes || region <= page || page >= file->size)
      return page;
    data = next_data (file, page);
    if (data <= page || data < region)
      return data;
    offset = region;
  }
}

uint64_t
intake_need_next (const struct intake_need *need, const struct read_at *file,
                  uint64_t offset)
{
  uint64_t next = offset;

  if (need->ram != NULL)
    next = next_present (need, file, offset);
  else if (!need->holes)
    next = next_data (file, offset);
  if (need->ram != NULL && need->exact && next > offset)
    next = minimum_u64 (next, next_data (file, offset));
  return minimum_u64 (next, file->size);
}
