/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening a file that is to be changed under its name. */

#include <config.h>

#include <string.h>
#include <sys/stat.h>

#include "safety/in_place.h"
#include "guest/libvirt_header.h"
#include "image/image.h"
#include "image/source_layout.h"

/* How often it may be replaced while it is being opened. */
#define ATTEMPTS 5

/* A run of save --replace may be about to give the name to its image. */
static int
open_file (const struct place *place, enum direct_io direct,
           struct file *file, struct error *err)
{
  struct error ignored = { 0 };
  struct stat st;
  int attempt;

  for (attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (place_open_regular (place, false, direct, file, err) < 0 ||
        file_lock (file, true, err) < 0)
      return -1;
    if (place_has (place, file) && fstat (file->fd, &st) == 0) {
      file->size = (uint64_t) st.st_size;
      return 0;
    }
    file_close (file, &ignored);
  }
  return error_about (err, ERROR_FAILED, 0, place->path,
                      "is being replaced all the time");
}

int
in_place_open (const char *name, enum direct_io direct, struct place *place,
               struct file *file, struct file *head, struct error *err)
{
  if (file_descriptor_of (name) >= 0 || strcmp (name, "-") == 0)
    return error_about (err, ERROR_USAGE, 0, name,
                        "is not a path, as expand needs");
  if (place_open (name, place, err) < 0 ||
      open_file (place, direct, file, err) < 0 ||
      place_open_regular (place, false, DIRECT_IO_OFF, head, err) < 0)
    return -1;
  return file_same (file, head) ? 0
    : error_about (err, ERROR_FAILED, 0, name, "was replaced");
}

/* Whether FILE begins with libvirt's header and is not mapped-ram: what QEMU
 * gets of that is not for us to say.
 */
static bool
is_other_save (const struct file *file)
{
  uint8_t bytes[LIBVIRT_HEADER_BYTES];
  struct libvirt_header header;
  struct error ignored = { 0 };

  return file->size >= sizeof bytes &&
    file_read_at (file, 0, bytes, sizeof bytes, &ignored) == 0 &&
    libvirt_header_present (bytes) &&
    libvirt_header_decode (bytes, &header, &ignored) == 0 &&
    header.format != LIBVIRT_FORMAT_SPARSE;
}

int
in_place_examine (const char *name, const struct file *file,
                  struct error *err)
{
  struct source_layout layout;
  struct error other = { 0 };
  enum image_kind kind;
  int image;

  if (source_layout_detect (file, SOURCE_AUTO, &layout, &other) == 0) {
    kind = layout.kind;
    source_layout_free (&layout);
    if (kind == IMAGE_MAPPED_RAM || is_other_save (file))
      return 0;
    error_set (err, ERROR_BAD_INPUT, 0, "not an iopress image");
    return error_subject (err, name);
  }
  image = other.kind != ERROR_BAD_INPUT ? -1
    : image_recognise (file, err);
  if (image > 0)
    return 1;
  if (err->kind == ERROR_NONE)
    *err = other;
  return -1;
}
