/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands somewhere in the head of a file, where nothing says where. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/file_header.h"
#include "guest/mapped_ram.h"
#include "image/content_scan.h"
#include "util/cleanup.h"

/* The scan reads parts of this size, and so much behind each that most of what
 * a look at a stream's head wants to know is in memory: whoever made the file
 * may have filled it with magics.
 */
#define PART_BYTES (1u << 20)
#define BEHIND_BYTES (16u << 10)

/* A file header stands at PREFIX_BYTES_MAX at the latest. */
#define SCAN_BYTES (UINT64_C (1) + PREFIX_BYTES_MAX)

/* QEMU's magic and version (qemu migration/savevm.h); enough to try. */
static const uint8_t stream_magic[8] = { 'Q', 'E', 'V', 'M', 0, 0, 0, 3 };

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

/* Find the first mapped-ram stream in PART, before file offset LIMIT. */
static int
find_stream (struct part *part, uint64_t limit, struct scanned *scanned,
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
  enum stream_kind kind;

  while ((found = memmem (found, (size_t) (end - found), stream_magic,
                          sizeof stream_magic)) != NULL) {
    scanned->offset = part->base + (uint64_t) (found - part->bytes);
    if (scanned->offset >= limit)
      return 0;
    if (mapped_ram_probe (&at, scanned->offset, &kind, err) < 0)
      return -1;
    if (kind == STREAM_MAPPED_RAM) {
      scanned->found = SCANNED_STREAM;
      return 0;
    }
    found++;
  }
  return 0;
}

/* There is no file header in PART: what is wrong with what looks like one. */
static void
note_damaged (const struct part *part, struct scanned *scanned)
{
  const uint8_t *magic = memmem (part->bytes, part->length, FILE_HEADER_MAGIC,
                                 FILE_HEADER_MAGIC_BYTES);
  struct file_header header;

  if (magic != NULL &&
      part->length - (size_t) (magic - part->bytes) >= FILE_HEADER_BYTES)
    file_header_decode (magic, part->base + (uint64_t) (magic - part->bytes),
                        &header, &scanned->damaged);
}

/* An image comes before a stream: that may be in its pages. */
static int
look_through (struct part *part, uint64_t search_bytes,
              struct scanned *scanned, struct error *err)
{
  int64_t header;

  if (marker_find_expanding (part->bytes, part->length, &scanned->marker)) {
    scanned->found = SCANNED_MARKER;
    return 0;
  }
  header = file_header_find (part->bytes, part->length, part->base);
  if (header >= 0) {
    scanned->found = SCANNED_IMAGE;
    scanned->offset = part->base + (uint64_t) header;
    return 0;
  }
  note_damaged (part, scanned);
  return find_stream (part, search_bytes, scanned, err);
}

int
content_scan (const struct read_at *at, uint64_t search_bytes,
              struct scanned *scanned, struct error *err)
{
  /* Parts overlap, so that nothing hides between two. */
  size_t room = PART_BYTES + BEHIND_BYTES;
  CLEANUP_FREE uint8_t *bytes = malloc (room);
  uint64_t limit = minimum_u64 (at->size, SCAN_BYTES);
  uint64_t base;

  *scanned = (struct scanned) { .found = SCANNED_NOTHING };
  if (bytes == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot be examined");
  for (base = 0; base < limit && scanned->found == SCANNED_NOTHING;
       base += PART_BYTES) {
    struct part part = {
      .file = at,
      .bytes = bytes,
      .base = base,
      .length = (size_t) minimum_u64 (room, at->size - base),
    };

    if (at->read (at->opaque, base, bytes, part.length, err) < 0 ||
        (!bytes_are_zero (bytes, part.length) &&
         look_through (&part, search_bytes, scanned, err) < 0))
      return -1;
  }
  return 0;
}
