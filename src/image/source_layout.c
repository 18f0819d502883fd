/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a source file is: mapped-ram stream or raw, and where it begins. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/libvirt_header.h"
#include "image/image.h"
#include "image/source_layout.h"
#include "util/cleanup.h"

/* QEMU keeps what stands before the offset it was given, but nobody is known
 * to put more than this there without libvirt's header; --format mapped-ram
 * looks as far as the format allows.
 */
#define SCAN_BYTES (1u << 20)

/* The scan reads parts of this size, and so much behind each that most of what
 * a look at a stream's head wants to know is in memory: whoever made the file
 * may have filled it with magics.
 */
#define PART_BYTES (256u << 10)
#define BEHIND_BYTES (16u << 10)

/* QEMU's magic and version (qemu migration/savevm.h); enough to try. */
static const uint8_t stream_magic[8] = { 'Q', 'E', 'V', 'M', 0, 0, 0, 3 };

static int
refuse_image (struct error *err)
{
  return error_set (err, ERROR_BAD_INPUT, 0, "already an iopress image");
}

int
refuse_half_expanded (const struct marker *marker, struct error *err)
{
  char suffix[ASIDE_SUFFIX_BYTES];

  aside_suffix (marker->image_id, suffix);
  error_set (err, ERROR_BAD_INPUT, 0,
             "was left half expanded, the file beside it whose name ends in %s "
             "has all of it", suffix);
  return error_hint (err, HALF_EXPANDED_HINT);
}

/* A part of a file in memory. */
struct part {
  const struct read_at *file;
  const uint8_t *bytes;
  uint64_t base;               /* its place in the file */
  size_t length;
};

/* Read from the part, and from the file what is not in it. */
static int
read_part (void *opaque, uint64_t offset, void *buffer, size_t length,
           struct error *err)
{
  const struct part *part = opaque;

  if (offset < part->base || offset - part->base > part->length ||
      length > part->length - (offset - part->base))
    return part->file->read (part->file->opaque, offset, buffer, length, err);
  memcpy (buffer, part->bytes + (offset - part->base), length);
  return 0;
}

/* What stands in PART: refuse an image; *KIND and *OFFSET tell of a mapped-ram
 * stream.
 */
static int
search_part (struct part *part, uint64_t *offset, enum stream_kind *kind,
             struct error *err)
{
  struct read_at at = {
    .read = read_part,
    .opaque = part,
    .size = part->file->size,
  };
  const uint8_t *found = part->bytes;
  const uint8_t *end = found + minimum_u64 (part->length, PART_BYTES +
                                            sizeof stream_magic - 1);
  struct marker marker;

  if (marker_find_expanding (part->bytes, part->length, &marker))
    return refuse_half_expanded (&marker, err);
  if (file_header_find (part->bytes, part->length, part->base) >= 0)
    return refuse_image (err);
  while ((found = memmem (found, (size_t) (end - found), stream_magic,
                          sizeof stream_magic)) != NULL) {
    *offset = part->base + (uint64_t) (found - part->bytes);
    if (*offset <= PREFIX_BYTES_MAX &&
        mapped_ram_probe (&at, *offset, kind, err) < 0)
      return -1;
    if (*kind == STREAM_MAPPED_RAM)
      return 0;
    found++;
  }
  return 0;
}

/* Look for a stream, or an image, behind bytes that are nobody's; also in what
 * the file system calls holes, which may be wrong.
 */
static int
scan (const struct read_at *file, uint64_t limit, uint64_t *offset,
      enum stream_kind *kind, struct error *err)
{
  /* Parts overlap, so that nothing hides between two. */
  size_t room = PART_BYTES + BEHIND_BYTES;
  CLEANUP_FREE uint8_t *bytes = malloc (room);
  uint64_t base;

  if (bytes == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot look for a stream");
  limit = minimum_u64 (limit, file->size);
  for (base = 0; base < limit; base += PART_BYTES) {
    struct part part = {
      .file = file,
      .bytes = bytes,
      .base = base,
      .length = (size_t) minimum_u64 (room, file->size - base),
    };

    if (file->read (file->opaque, base, bytes, part.length, err) < 0 ||
        search_part (&part, offset, kind, err) < 0)
      return -1;
    if (*kind == STREAM_MAPPED_RAM)
      return 0;
  }
  *offset = 0;
  *kind = STREAM_NONE;
  return 0;
}

/* Refuse an image at OFFSET, also one that is half expanded. */
static int
check_no_image (const struct read_at *file, uint64_t offset,
                struct error *err)
{
  uint64_t place = marker_expanding_offset (offset) - offset;
  uint8_t bytes[FILE_HEADER_BYTES];
  struct marker marker;

  if (offset > file->size || file->size - offset < sizeof bytes)
    return 0;
  if (file->read (file->opaque, offset, bytes, sizeof bytes, err) < 0)
    return -1;
  if (file_header_find (bytes, sizeof bytes, offset) == 0)
    return refuse_image (err);
  if (marker_decode (bytes + place, &marker) &&
      marker.kind == MARKER_EXPANDING)
    return refuse_half_expanded (&marker, err);
  return 0;
}

/* Look at OFFSET, where a stream belongs. */
static int
probe (const struct read_at *file, uint64_t offset, enum stream_kind *kind,
       struct error *err)
{
  if (check_no_image (file, offset, err) < 0)
    return -1;
  return mapped_ram_probe (file, offset, kind, err);
}

/* libvirt says "sparse", but which kind of stream it gets is QEMU's affair:
 * with snapshot_image_format = "sparse" it is a plain one, as whole as its end.
 */
static int
check_sparse (const struct read_at *file, uint64_t offset,
              enum stream_kind kind, struct error *err)
{
  if (kind == STREAM_MAPPED_RAM)
    return 0;
  if (kind == STREAM_PLAIN)
    return plain_stream_check_end (file, offset, err);
  return error_set (err, ERROR_BAD_INPUT, 0,
                    "the save is incomplete: libvirt's header is there,"
                    " QEMU's mapped-ram stream is not");
}

/* The stream behind libvirt's header. */
static int
probe_libvirt (const struct read_at *file,
               const uint8_t bytes[LIBVIRT_HEADER_BYTES], uint64_t *offset,
               enum stream_kind *kind, struct error *err)
{
  struct libvirt_header header;

  if (libvirt_header_decode (bytes, &header, err) < 0)
    return -1;
  *offset = LIBVIRT_HEADER_BYTES + (uint64_t) header.data_bytes;
  if (*offset > file->size)
    return error_set (err, ERROR_BAD_INPUT, 0, "libvirt's header is cut off");
  if (probe (file, *offset, kind, err) < 0)
    return -1;
  return header.format != LIBVIRT_FORMAT_SPARSE ? 0
    : check_sparse (file, *offset, *kind, err);
}

/* Find where QEMU's stream begins and what kind it is. */
static int
find_stream (const struct read_at *file, uint64_t limit, uint64_t *offset,
             enum stream_kind *kind, struct error *err)
{
  uint8_t bytes[LIBVIRT_HEADER_BYTES];

  if (file->size >= sizeof bytes) {
    if (file->read (file->opaque, 0, bytes, sizeof bytes, err) < 0)
      return -1;
    if (libvirt_header_present (bytes))
      return probe_libvirt (file, bytes, offset, kind, err);
  }
  if (probe (file, 0, kind, err) < 0)
    return -1;
  return *kind != STREAM_NONE ? 0 : scan (file, limit, offset, kind, err);
}

int
source_layout_parse (const struct read_at *at, enum image_kind kind,
                     uint64_t prefix_bytes, struct source_layout *layout,
                     struct error *err)
{
  *layout = (struct source_layout) {
    .kind = kind,
    .prefix_bytes = prefix_bytes,
  };
  if (kind != IMAGE_MAPPED_RAM ||
      (mapped_ram_parse (at, prefix_bytes, &layout->ram, err) == 0 &&
       mapped_ram_check_complete (at, layout->ram, err) == 0))
    return 0;
  source_layout_free (layout);
  return -1;
}

int
refuse_damaged_marker (const struct file *file, struct error *err)
{
  error_about (err, ERROR_BAD_INPUT, 0, file->name, "was partly moved into an "
               "image, and the marker that says which is damaged");
  return error_hint (err, "keep it, and look for that image");
}

/* Whether a marker stands at OFFSET.  Returns 1, 0, or -1 with ERR. */
static int
marker_at (const struct file *file, uint64_t offset, struct marker *marker,
           struct error *err)
{
  uint8_t bytes[MARKER_BYTES];

  if (file->size < offset + sizeof bytes)
    return 0;
  if (file_read_at (file, offset, bytes, sizeof bytes, err) < 0)
    return -1;
  if (marker_decode (bytes, marker))
    return 1;
  return offset == 0 && marker_begins (bytes)
    ? refuse_damaged_marker (file, err) : 0;
}

/* A source that an earlier run has begun to give back is no source, nor is an
 * image of which expand has left the last marker behind the end.
 */
static int
refuse_marker (const struct file *file, struct error *err)
{
  struct marker marker;
  int found = marker_at (file, 0, &marker, err);

  if (found == 0 && file->size % MARKER_SECTOR_BYTES == MARKER_BYTES) {
    found = marker_at (file, file->size - MARKER_BYTES, &marker, err);
    if (found > 0 && marker.kind != MARKER_EXPANDING)
      return 0;
  }
  if (found <= 0)
    return found;
  if (marker.kind == MARKER_EXPANDING)
    return refuse_half_expanded (&marker, err);
  error_set (err, ERROR_BAD_INPUT, 0,
             "was partly moved into an image by a run that did not finish");
  return error_hint (err, "iopress save --resume finishes it");
}

static int
detect (const struct file *file, enum source_format format,
        struct source_layout *layout, struct error *err)
{
  struct read_at at = read_at_of_file (file);
  enum stream_kind kind = STREAM_NONE;
  uint64_t limit = format == SOURCE_MAPPED_RAM ? PREFIX_BYTES_MAX + 1
    : SCAN_BYTES;
  uint64_t ignored;

  if (refuse_marker (file, err) < 0)
    return -1;
  if (format == SOURCE_RAW)
    return scan (&at, limit, &ignored, &kind, err);
  if (find_stream (&at, limit, &layout->prefix_bytes, &kind, err) < 0)
    return -1;
  layout->plain_stream = kind == STREAM_PLAIN;
  if (kind == STREAM_MAPPED_RAM)
    return source_layout_parse (&at, IMAGE_MAPPED_RAM, layout->prefix_bytes,
                                layout, err);
  if (format == SOURCE_MAPPED_RAM)
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "no QEMU mapped-ram stream in this file");
  return 0;
}

int
source_layout_detect (const struct file *file, enum source_format format,
                      struct source_layout *layout, struct error *err)
{
  *layout = (struct source_layout) { .kind = IMAGE_RAW };
  if (detect (file, format, layout, err) == 0)
    return 0;
  return error_subject (err, file->name);
}

void
source_layout_free (struct source_layout *layout)
{
  mapped_ram_free (layout->ram);
  layout->ram = NULL;
}
