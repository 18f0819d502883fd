/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a file is: the one look at it. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/footer.h"
#include "image/content.h"
#include "image/content_scan.h"
#include "util/cleanup.h"

/* Every look returns 1 when it is settled what the file is, 0 when it is not,
 * or -1 with ERR.
 */
static int
settle (struct content *content, enum content_kind kind)
{
  content->kind = kind;
  return 1;
}

static int
read_at (const struct read_at *at, uint64_t offset, void *buffer,
         size_t length, struct error *err)
{
  return at->read (at->opaque, offset, buffer, length, err);
}

static bool
has_bytes (const struct read_at *at, uint64_t offset, size_t length)
{
  return offset <= at->size && at->size - offset >= length;
}

int
content_look_for_marker (const struct read_at *at, struct content *content,
                         struct error *err)
{
  uint8_t bytes[MARKER_BYTES];

  *content = (struct content) {
    .kind = at->size > 0 ? CONTENT_OTHER : CONTENT_EMPTY,
  };
  if (!has_bytes (at, 0, sizeof bytes))
    return 0;
  if (read_at (at, 0, bytes, sizeof bytes, err) < 0)
    return -1;
  if (marker_decode (bytes, &content->marker))
    return settle (content, content->marker.kind == MARKER_EXPANDING
                   ? CONTENT_HALF_EXPANDED : CONTENT_CONSUMED);
  content->marker_damaged = marker_begins (bytes);
  if (content->marker_damaged)
    return settle (content, CONTENT_CONSUMED);
  if (at->size % MARKER_SECTOR_BYTES != MARKER_BYTES)
    return 0;
  if (read_at (at, at->size - sizeof bytes, bytes, sizeof bytes, err) < 0)
    return -1;
  content->ending = marker_decode (bytes, &content->marker) &&
    content->marker.kind == MARKER_EXPANDING;
  return content->ending ? settle (content, CONTENT_HALF_EXPANDED) : 0;
}

int
content_is_finished (const struct read_at *at,
                     const struct file_header *header, struct error *err)
{
  struct error unfinished = { 0 };
  uint8_t bytes[FOOTER_BYTES];
  struct footer footer;

  if (at->size < records_start (header) + FOOTER_BYTES)
    return 0;
  if (read_at (at, at->size - FOOTER_BYTES, bytes, sizeof bytes, err) < 0)
    return -1;
  return footer_decode (bytes, at->size - FOOTER_BYTES, header, &footer,
                        &unfinished) == 0;
}

/* An image whose file header, BYTES, stands at OFFSET. */
static int
settle_image (const struct read_at *at, uint64_t offset,
              const uint8_t bytes[FILE_HEADER_BYTES], struct content *content,
              struct error *err)
{
  int finished;

  content->prefix_bytes = offset;
  content->why = (struct error) { 0 };
  if (file_header_decode (bytes, offset, &content->header,
                          &content->why) < 0)
    return settle (content, CONTENT_DAMAGED_IMAGE);
  finished = content_is_finished (at, &content->header, err);
  if (finished < 0)
    return -1;
  return settle (content, finished > 0 ? CONTENT_IMAGE
                 : CONTENT_UNFINISHED_IMAGE);
}

/* Take WHY, that of a parser, for what is wrong with the save, unless it could
 * not read.
 */
static int
settle_unfinished (const struct error *why, struct content *content,
                   struct error *err)
{
  if (why->kind != ERROR_BAD_INPUT) {
    *err = *why;
    return -1;
  }
  content->why = *why;
  return settle (content, CONTENT_UNFINISHED_SAVE);
}

/* A save of KIND, whole as far as can be seen. */
static int
settle_save (struct content *content, enum content_kind kind)
{
  return settle (content, content->has_libvirt && !content->libvirt.finished
                 ? CONTENT_PART_SAVE : kind);
}

static int
settle_mapped_ram (const struct read_at *at, uint64_t offset,
                   struct content *content, struct error *err)
{
  struct error why = { 0 };

  content->prefix_bytes = offset;
  if (mapped_ram_parse (at, offset, &content->ram, &why) == 0 &&
      mapped_ram_check_complete (at, content->ram, &why) == 0)
    return settle_save (content, CONTENT_SAVE);
  content_free (content);
  return settle_unfinished (&why, content, err);
}

/* libvirt says "sparse", but which kind of stream it gets is QEMU's affair:
 * with snapshot_image_format = "sparse" it is a plain one, as whole as its end.
 */
static int
settle_plain (const struct read_at *at, uint64_t offset,
              struct content *content, struct error *err)
{
  struct error why = { 0 };

  content->prefix_bytes = offset;
  content->plain_stream = true;
  if (content->has_libvirt &&
      content->libvirt.format == LIBVIRT_FORMAT_SPARSE &&
      plain_stream_check_end (at, offset, &why) < 0)
    return settle_unfinished (&why, content, err);
  return settle_save (content, CONTENT_PLAIN_SAVE);
}

/* QEMU's stream, if it stands at OFFSET. */
static int
look_for_stream (const struct read_at *at, uint64_t offset,
                 struct content *content, struct error *err)
{
  enum stream_kind kind;

  if (mapped_ram_probe (at, offset, &kind, err) < 0)
    return -1;
  return kind == STREAM_MAPPED_RAM
    ? settle_mapped_ram (at, offset, content, err)
    : kind == STREAM_PLAIN ? settle_plain (at, offset, content, err) : 0;
}

/* What stands at OFFSET, where QEMU's stream belongs, or an image. */
static int
look_at_place (const struct read_at *at, uint64_t offset,
               struct content *content, struct error *err)
{
  uint64_t place = marker_expanding_offset (offset) - offset;
  uint8_t bytes[FILE_HEADER_BYTES];

  if (has_bytes (at, offset, sizeof bytes)) {
    if (read_at (at, offset, bytes, sizeof bytes, err) < 0)
      return -1;
    if (marker_decode (bytes + place, &content->marker) &&
        content->marker.kind == MARKER_EXPANDING) {
      content->prefix_bytes = offset;
      return settle (content, CONTENT_HALF_EXPANDED);
    }
    if (memcmp (bytes, FILE_HEADER_MAGIC, FILE_HEADER_MAGIC_BYTES) == 0)
      return settle_image (at, offset, bytes, content, err);
  }
  return look_for_stream (at, offset, content, err);
}

/* Behind libvirt's header, which may be damaged.  Where it speaks of mapped-ram
 * and there is none, it may still be an image of which it lies.
 */
static int
look_behind_libvirt (const struct read_at *at,
                     const uint8_t bytes[LIBVIRT_HEADER_BYTES],
                     struct content *content, struct error *err)
{
  const struct libvirt_header *header = &content->libvirt;
  int settled;

  content->kind = CONTENT_UNFINISHED_SAVE;
  if (libvirt_header_decode (bytes, &content->libvirt, &content->why) < 0)
    return 0;
  content->has_libvirt = true;
  content->prefix_bytes = LIBVIRT_HEADER_BYTES + (uint64_t) header->data_bytes;
  if (content->prefix_bytes > at->size) {
    error_set (&content->why, ERROR_BAD_INPUT, 0,
               "libvirt's header is cut off");
    return 0;
  }
  settled = look_at_place (at, content->prefix_bytes, content, err);
  if (settled != 0)
    return settled;
  if (header->format != LIBVIRT_FORMAT_SPARSE)
    return settle_save (content, CONTENT_PLAIN_SAVE);
  error_set (&content->why, ERROR_BAD_INPUT, 0,
             "the save is incomplete: libvirt's header is there,"
             " QEMU's mapped-ram stream is not");
  return 0;
}

/* Where all begins, unless something is in front of it. */
static int
look_at_start (const struct read_at *at, struct content *content,
               struct error *err)
{
  uint8_t bytes[LIBVIRT_HEADER_BYTES];

  if (has_bytes (at, 0, sizeof bytes)) {
    if (read_at (at, 0, bytes, sizeof bytes, err) < 0)
      return -1;
    if (libvirt_header_present (bytes))
      return look_behind_libvirt (at, bytes, content, err);
  }
  return look_at_place (at, 0, content, err);
}

/* What else stands somewhere in the first 16 MiB. */
static int
look_through (const struct read_at *at, uint64_t search_bytes,
              struct content *content, struct error *err)
{
  bool nothing = content->kind == CONTENT_OTHER;
  uint8_t bytes[FILE_HEADER_BYTES];
  struct scanned scanned;

  if (content_scan (at, search_bytes, &scanned, err) < 0)
    return -1;
  switch (scanned.found) {
  case SCANNED_MARKER:
    content->marker = scanned.marker;
    return settle (content, CONTENT_HALF_EXPANDED);
  case SCANNED_IMAGE:
    return read_at (at, scanned.offset, bytes, sizeof bytes, err) < 0 ? -1
      : settle_image (at, scanned.offset, bytes, content, err);
  case SCANNED_STREAM:
    return settle_mapped_ram (at, scanned.offset, content, err);
  case SCANNED_NOTHING:
    break;
  }
  if (nothing)
    content->why = scanned.damaged;
  return 0;
}

int
content_look (const struct read_at *at, uint64_t search_bytes,
              struct content *content, struct error *err)
{
  int settled = content_look_for_marker (at, content, err);

  if (settled == 0)
    settled = look_at_start (at, content, err);
  /* Behind libvirt's header a stream stands where that says. */
  if (settled == 0)
    settled = look_through (at, content->kind == CONTENT_OTHER
                            ? search_bytes : 0, content, err);
  return settled < 0 ? -1 : 0;
}

int
content_settle (const struct read_at *at, struct content *content,
                struct error *err)
{
  int zeros = content->kind == CONTENT_OTHER ? read_at_is_zero (at, 0, err) : 0;

  if (zeros > 0)
    content->kind = CONTENT_ZEROS;
  return zeros < 0 ? -1 : 0;
}

void
content_free (struct content *content)
{
  mapped_ram_free (content->ram);
  content->ram = NULL;
}

bool
content_is_half (const struct content *content)
{
  return content->kind == CONTENT_CONSUMED ||
    content->kind == CONTENT_HALF_EXPANDED ||
    (content->kind == CONTENT_UNFINISHED_IMAGE &&
     (content->header.compatible & FEATURE_DISCARD) != 0);
}

int
content_domain (const struct read_at *at, const struct content *content,
                char name[256], char uuid[40], struct error *err)
{
  CLEANUP_FREE char *xml = NULL;
  size_t length;

  name[0] = uuid[0] = '\0';
  if (!content->has_libvirt)
    return 0;
  length = (size_t) minimum_u64 (content->libvirt.data_bytes,
                                 at->size - LIBVIRT_HEADER_BYTES);
  xml = malloc (length + 1);
  if (xml == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot read libvirt's XML");
  if (read_at (at, LIBVIRT_HEADER_BYTES, xml, length, err) < 0)
    return -1;
  libvirt_domain_identity (xml, length, name, uuid);
  return 0;
}
