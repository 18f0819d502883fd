/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an earlier run left in NAME.part, and whether anybody can want it. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "safety/leftover.h"
#include "format/marker.h"
#include "safety/resume.h"
#include "salvage/scan.h"
#include "image/source_layout.h"
#include "util/cleanup.h"

int
leftover_of_save (struct file *file, struct error *err)
{
  struct error invalid = { 0 };
  struct image *image = NULL;
  int result = 0;

  if (file->size == 0)
    return 1;
  if (image_open (file, &image, &invalid) < 0) {
    if (invalid.kind == ERROR_BAD_INPUT)
      return resume_source_is_empty (file, err);
    *err = invalid;
    return -1;
  }
  /* What was written through a mount has no other source. */
  if ((image->header.compatible & FEATURE_DISCARD) == 0 &&
      !is_unordered (&image->header)) {
    result = image_is_finished (image, err);
    result = result < 0 ? -1 : !result;
  }
  image_close (image);
  return result;
}

/* Whether another file has what FILE lacks: it was being consumed or expanded. */
static int
has_marker (const struct file *file, struct error *err)
{
  size_t length = (size_t) minimum_u64 (file->size,
                                        PREFIX_BYTES_MAX + MARKER_BYTES);
  CLEANUP_FREE uint8_t *bytes = malloc (length + 1);
  struct marker marker;

  if (bytes == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot be examined");
  if (file_read_at (file, 0, bytes, length, err) < 0)
    return -1;
  return (length >= MARKER_BYTES &&
          (marker_begins (bytes) || marker_decode (bytes, &marker))) ||
    marker_find_expanding (bytes, length, &marker);
}

/* Whether FILE is all that QEMU wrote of a guest.  Where that ends is not to be
 * seen of each kind: MAYBE says whether it then is.
 */
static bool
is_whole_save (const struct file *file, bool maybe)
{
  struct source_layout layout;
  struct error other = { 0 };
  bool result;

  if (source_layout_detect (file, SOURCE_AUTO, &layout, &other) < 0)
    return false;
  result = layout.kind == IMAGE_MAPPED_RAM ||
    (maybe && (layout.plain_stream || layout.prefix_bytes > 0));
  source_layout_free (&layout);
  return result;
}

/* Whether there is an image, a marker or a save in FILE.  Returns 1, 0, or -1
 * with ERR.
 */
static int
is_guest (const struct file *file, bool maybe, struct error *err)
{
  int found = image_recognise (file, err);

  if (found == 0)
    found = has_marker (file, err);
  return found != 0 ? found : is_whole_save (file, maybe);
}

int
leftover_of_restore (struct file *file, bool force, struct error *err)
{
  int wanted;

  if (file->size == 0)
    return 1;
  if (!force)
    return 0;
  wanted = is_guest (file, false, err);
  return wanted < 0 ? -1 : !wanted;
}

int
leftover_is_foreign (const struct file *file, struct error *err)
{
  struct salvage_scan scan;
  int found = is_guest (file, true, err);

  if (found != 0)
    return found < 0 ? -1 : 0;
  found = scan_for_records (file, 0, NULL, &scan, err);
  if (found == 0)
    found = scan.record_count == 0 && scan.index_count == 0;
  scan_free (&scan);
  return found;
}

/* Whether another file lacks what FILE has, or the other way round.  Returns 1,
 * 0, or -1 with ERR.
 */
static int
is_half (struct file *file, struct error *err)
{
  struct error invalid = { 0 };
  struct image *image = NULL;
  int result = has_marker (file, err);

  if (result != 0)
    return result;
  if (image_open (file, &image, &invalid) < 0) {
    if (invalid.kind == ERROR_BAD_INPUT)
      return 0;
    *err = invalid;
    return -1;
  }
  if ((image->header.compatible & FEATURE_DISCARD) != 0) {
    result = image_is_finished (image, err);
    result = result < 0 ? -1 : !result;
  }
  image_close (image);
  return result;
}

int
leftover_check_replaced (int fd, const char *name, enum file_access access,
                         struct error *err)
{
  struct file file = FILE_CLOSED;
  struct error ignored = { 0 };
  int half = 0;

  if (file_take_descriptor (fd, name, access, DIRECT_IO_OFF, &file,
                            &ignored) == 0 &&
      (file.owned || access != FILE_READ))
    half = is_half (&file, err);
  if (half > 0)
    half = leftover_refuse (&file, err);
  file_close (&file, &ignored);
  return half;
}

/* Whether FILE is an image that iopress save wrote. */
static bool
is_of_save (struct file *file)
{
  struct error invalid = { 0 };
  struct image *image = NULL;
  bool result;

  if (image_open (file, &image, &invalid) < 0)
    return false;
  result = !is_unordered (&image->header);
  image_close (image);
  return result;
}

int
leftover_refuse (struct file *file, struct error *err)
{
  struct error ignored = { 0 };

  error_set (err, ERROR_FAILED, EEXIST, "left over from an earlier run");
  error_subject (err, file->name);
  if (is_of_save (file))
    return error_hint (err, "iopress save --resume goes on with it if it is "
                       "of the same source");
  if (has_marker (file, &ignored) > 0)
    return error_hint (err, "keep it: the rest of it is in an image; move it "
                       "away");
  return error_hint (err, "look at it, then move it away and try again");
}
