/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding what a damaged image still holds, and what it does not. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "guest/libvirt_header.h"
#include "salvage/salvage_private.h"

/* Whether what stands at the head of the file is the prefix: the header or
 * the records are where they belong, or libvirt's header fits.
 */
static bool
head_in_place (const struct salvage *salvage, const uint8_t *head)
{
  const struct image *image = &salvage->image;
  struct error invalid = { 0 };
  struct libvirt_header libvirt;

  if (salvage->header_found || image->entries[0].offset ==
      records_start (&image->header))
    return true;
  return image->header.prefix_bytes > LIBVIRT_HEADER_BYTES &&
    libvirt_header_decode (head, &libvirt, &invalid) == 0 &&
    LIBVIRT_HEADER_BYTES + (uint64_t) libvirt.data_bytes ==
    image->header.prefix_bytes;
}

/* The prefix as the file has it, or zeros. */
static int
take_prefix (struct salvage *salvage, struct error *err)
{
  struct image *image = &salvage->image;
  uint64_t length = image->header.prefix_bytes;
  struct error unreadable = { 0 };

  image->prefix = calloc (1, length + 1);
  if (image->prefix == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot take the prefix");
  if (length == 0 ||
      (file_read_at (image->file, 0, image->prefix, length,
                     &unreadable) == 0 &&
       head_in_place (salvage, image->prefix)))
    return 0;
  if (error_lacks_memory (&unreadable)) {
    *err = unreadable;
    return -1;
  }
  memset (image->prefix, 0, length);
  salvage->prefix_missing = true;
  return 0;
}

/* How the first frame begins, when no header names the codec. */
static void
take_frame (struct salvage *salvage, const struct salvage_scan *scan)
{
  const struct image *image = &salvage->image;
  size_t i;

  for (i = 0; i < scan->record_count && salvage->frame_bytes == 0; i++) {
    const struct record_header *record = &scan->records[i].header;
    size_t length = (size_t) minimum_u64 (record->payload_bytes,
                                          sizeof salvage->frame);
    struct error unreadable = { 0 };

    if (record_belongs (record, &image->header) &&
        (record->flags & RECORD_STORED) == 0 &&
        file_read_at (image->file, scan->records[i].offset +
                      record_overhead_bytes (record->chunk_bytes),
                      salvage->frame, length, &unreadable) == 0)
      salvage->frame_bytes = length;
  }
}

static int
refuse_without_record (struct error *err)
{
  return error_set (err, ERROR_BAD_INPUT, 0,
                    "not one whole record of an image in this file");
}

/* What the header does not tell for certain, and the index. */
static int
take_index (struct salvage *salvage, const struct salvage_scan *scan,
            struct image_index *index, struct error *err)
{
  if (!salvage->header_found && scan->record_count == 0)
    return refuse_without_record (err);
  if (!salvage->header_found && salvage_piece_header (salvage, scan, err) < 0)
    return -1;
  if (salvage->header_found && is_unordered (&salvage->image.header) &&
      !salvage->finished)
    salvage_extend_source (salvage, scan);
  return salvage_find_index (salvage, scan, index, err);
}

static int
take_rest (struct salvage *salvage, const struct salvage_scan *scan,
           const struct image_index *index, struct error *err)
{
  if (salvage_take_records (salvage, scan, index, err) < 0)
    return -1;
  if (salvage->image.footer.record_count == 0 && !salvage->header_found)
    return refuse_without_record (err);
  if (!salvage->header_found)
    take_frame (salvage, scan);
  if (take_prefix (salvage, err) < 0)
    return -1;
  return salvage_find_gaps (salvage, index, err);
}

static int
evaluate (struct salvage *salvage, const struct salvage_scan *scan,
          struct error *err)
{
  struct image_index index = { .entries = NULL };
  int found = take_index (salvage, scan, &index, err);
  int result = -1;

  if (found >= 0)
    result = take_rest (salvage, scan, found > 0 ? &index : NULL, err);
  free (index.entries);
  return result;
}

/* Take the header as it stands in the file, if it does. */
static int
take_header (struct salvage *salvage, struct error *err)
{
  struct error invalid = { 0 };
  struct image *image = NULL;
  int finished;

  if (image_open (salvage->image.file, &image, &invalid) < 0) {
    if (error_lacks_memory (&invalid)) {
      *err = invalid;
      return -1;
    }
    return 0;
  }
  salvage->header_found = true;
  salvage->image.header = image->header;
  finished = image_is_finished (image, &invalid);
  image_close (image);
  salvage->finished = finished > 0;
  return file_check_cancelled (salvage->image.file, err);
}

int
salvage_search (struct file *file, struct salvage *salvage,
                struct error *err)
{
  struct salvage_scan scan = { .record_count = 0 };
  const struct file_header *header = NULL;
  int result;

  *salvage = (struct salvage) { .image = { .file = file } };
  result = take_header (salvage, err);
  if (salvage->header_found)
    header = &salvage->image.header;
  if (result == 0)
    result = scan_for_records (file, header != NULL ? records_start (header)
                               : 0, header, &scan, err);
  if (result == 0)
    result = evaluate (salvage, &scan, err);
  scan_free (&scan);
  if (result < 0)
    salvage_free (salvage);
  return result < 0 ? error_subject (err, file->name) : 0;
}

void
salvage_free (struct salvage *salvage)
{
  free (salvage->image.entries);
  free (salvage->image.prefix);
  free (salvage->gaps);
  mapped_ram_free (salvage->ram);
  salvage->ram = NULL;
  salvage->image.entries = NULL;
  salvage->image.prefix = NULL;
  salvage->gaps = NULL;
}
