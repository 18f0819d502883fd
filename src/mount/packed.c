/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The new image takes the place of the old one. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "mount/packed.h"
#include "mount/transfer.h"

#define PART_BYTES (64u << 10)

static int
fail (struct packed *packed, int errnum, const char *what)
{
  return error_set (&packed->err, ERROR_FAILED, errnum, "%s", what);
}

/* Nobody else changes the old file now; somebody who does not ask the mount may
 * have done so.
 */
static int
check_unchanged (struct packed *packed)
{
  struct file *file = &packed->shown->file;
  const struct image *old = packed->shown->image;
  struct image *now = NULL;
  struct stat st;
  bool same;

  if (fstat (file->fd, &st) < 0)
    return fail (packed, errno, "cannot be examined");
  if (st.st_nlink > 1)
    return fail (packed, 0, "it has another name, too");
  if ((uint64_t) st.st_size != file->size ||
      image_open (file, &now, &packed->err) < 0)
    return fail (packed, 0, "was changed while it was packed");
  same = image_load_index (now, &packed->err) == 0 &&
    now->header.source_bytes == old->header.source_bytes &&
    now->header.prefix_bytes == old->header.prefix_bytes &&
    footer_same_totals (&now->footer, &old->footer) &&
    memcmp (now->entries, old->entries,
            old->footer.record_count * sizeof *old->entries) == 0;
  image_close (now);
  return same ? 0 : fail (packed, 0, "was changed while it was packed");
}

/* virsh may have written to it meanwhile. */
static int
copy_prefix (struct packed *packed)
{
  uint64_t offset, prefix_bytes = packed->repack.header.prefix_bytes;
  char path[NODE_PATH_BYTES];
  uint8_t part[PART_BYTES];
  /* In bytes, not in blocks. */
  int fd = open (descriptor_path (packed->output.fd, path),
                 O_WRONLY | O_CLOEXEC);
  int result = fd < 0 ? errno : 0;

  for (offset = 0; offset < prefix_bytes && result == 0;
       offset += sizeof part) {
    size_t length = (size_t) minimum_u64 (sizeof part,
                                          prefix_bytes - offset);

    if (file_read_at (&packed->shown->file, offset, part, length,
                      &packed->err) < 0)
      result = EIO;
    else
      result = write_fully (fd, offset, part, length);
  }
  if (fd >= 0)
    close (fd);
  return result == 0 ? 0 : fail (packed, result, "cannot copy the prefix");
}

static int
copy_times (struct packed *packed)
{
  struct stat st;

  if (fstat (packed->shown->file.fd, &st) == 0) {
    const struct timespec times[2] = { st.st_atim, st.st_mtim };

    if (futimens (packed->output.fd, times) == 0)
      return 0;
  }
  return fail (packed, errno, "cannot copy the times");
}

/* What has the name, or had it, must be the old file. */
static int
check_name (void *opaque, const struct place *where, struct error *err)
{
  struct packed *packed = opaque;

  if (place_has (where, &packed->shown->file))
    return 0;
  packed->cancelled = ECANCELED;
  return error_set (err, ERROR_FAILED, 0, "another file got its name");
}

/* From now on lookups find the node by either file. */
static int
begin_succession (struct packed *packed)
{
  struct stat st;

  if (fstat (packed->output.fd, &st) < 0)
    return fail (packed, errno, "cannot be examined");
  store_begin_succession (packed->packing->store, packed->node, st.st_ino);
  packed->succeeding = true;
  return 0;
}

/* By its name, so that the descriptor knows that; by the file if need be. */
static int
open_path (const struct packed *packed, int fallback)
{
  struct stat named, file;
  int fd = openat (packed->place.folder, place_base (&packed->place),
                   O_PATH | O_NOFOLLOW | O_CLOEXEC);

  if (fd >= 0 && fstat (fd, &named) == 0 &&
      fstat (packed->output.fd, &file) == 0 && named.st_ino == file.st_ino &&
      named.st_dev == file.st_dev) {
    close (fallback);
    return fd;
  }
  if (fd >= 0)
    close (fd);
  return fallback;
}

static int
publish (struct packed *packed)
{
  const struct draft_check check = { check_name, packed };
  struct error ignored = { 0 };

  if (begin_succession (packed) < 0 ||
      draft_give_name (&packed->draft, &packed->err) < 0 ||
      draft_publish (&packed->draft, DRAFT_EXCHANGED, &check,
                     &packed->err) < 0)
    return -1;
  /* Where that fails the next mount does it. */
  place_remove (&packed->draft.part, &packed->shown->file, &ignored);
  return 0;
}

int
packed_put (void *opaque, int *path_fd)
{
  struct packed *packed = opaque;
  char path[NODE_PATH_BYTES];
  int fallback = open (descriptor_path (packed->output.fd, path),
                       O_PATH | O_CLOEXEC);

  if (fallback < 0) {
    fail (packed, errno, "cannot be opened again");
    return EIO;
  }
  if (check_unchanged (packed) < 0 || copy_prefix (packed) < 0 ||
      file_copy_attributes (&packed->shown->file, &packed->output,
                            &packed->err) < 0 ||
      copy_times (packed) < 0 || publish (packed) < 0) {
    close (fallback);
    return EIO;
  }
  *path_fd = open_path (packed, fallback);
  return 0;
}
