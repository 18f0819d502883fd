/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an earlier run left in NAME.part, and whether anybody can want it. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "cmd/leftover.h"
#include "format/marker.h"
#include "pipeline/resume.h"
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
  return (length >= MARKER_BYTES && marker_decode (bytes, &marker)) ||
    marker_find_expanding (bytes, length, &marker);
}

/* Whether FILE is all that QEMU wrote of a guest. */
static bool
is_whole_save (const struct file *file)
{
  struct source_layout layout;
  struct error other = { 0 };
  bool result;

  if (source_layout_detect (file, SOURCE_AUTO, &layout, &other) < 0)
    return false;
  result = layout.kind == IMAGE_MAPPED_RAM;
  source_layout_free (&layout);
  return result;
}

int
leftover_of_restore (struct file *file, bool force, struct error *err)
{
  int wanted;

  if (file->size == 0)
    return 1;
  if (!force)
    return 0;
  wanted = image_recognise (file, err);
  if (wanted == 0)
    wanted = has_marker (file, err);
  return wanted < 0 ? -1 : wanted == 0 && !is_whole_save (file);
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
  error_set (err, ERROR_FAILED, EEXIST, "left over from an earlier run");
  error_subject (err, file->name);
  if (is_of_save (file))
    return error_hint (err, "iopress save --resume goes on with it if it is "
                       "of the same source");
  return error_hint (err, "look at it, then move it away and try again");
}
