/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding what a damaged image still holds, and what it does not. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "guest/libvirt_header.h"
#include "pipeline/salvage_scan.h"
#include "util/cleanup.h"

/* By image id, those of one image in the order of the file. */
static int
by_image (const void *a, const void *b)
{
  const struct found_record *first = *(struct found_record *const *) a;
  const struct found_record *second = *(struct found_record *const *) b;
  int order = memcmp (first->header.image_id, second->header.image_id,
                      IMAGE_ID_BYTES);

  return order != 0 ? order : first < second ? -1 : first > second;
}

/* The first record of the image that most records name; of several images the
 * one that begins first.  RECORDS are COUNT, not 0, in the order of by_image.
 */
static const struct found_record *
elect (const struct found_record *const *records, size_t count)
{
  const struct found_record *best = NULL;
  size_t first = 0, end, most = 0;

  for (end = 1; end <= count; end++) {
    if (end < count && memcmp (records[first]->header.image_id,
                               records[end]->header.image_id,
                               IMAGE_ID_BYTES) == 0)
      continue;
    if (end - first > most ||
        (end - first == most && records[first] < best)) {
      most = end - first;
      best = records[first];
    }
    first = end;
  }
  return best;
}

/* The header that the records agree on, as far as they tell.  Guest memory
 * may hold records of other images: ours is the one with the most.
 */
static int
piece_header_together (const struct salvage_scan *scan,
                       struct file_header *header, struct error *err)
{
  CLEANUP_FREE const struct found_record **records =
    calloc (scan->record_count, sizeof *records);
  const struct record_header *best;
  size_t i;

  if (records == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot list the records");
  for (i = 0; i < scan->record_count; i++)
    records[i] = &scan->records[i];
  qsort (records, scan->record_count, sizeof *records, by_image);
  best = &elect (records, scan->record_count)->header;
  *header = (struct file_header) {
    .major = FORMAT_MAJOR,
    .minor = FORMAT_MINOR,
    .prefix_bytes = best->prefix_bytes,
    .source_bytes = best->source_bytes,
    .chunk_bytes = best->chunk_bytes,
  };
  memcpy (header->image_id, best->image_id, IMAGE_ID_BYTES);
  return 0;
}

static int
by_window (const void *a, const void *b)
{
  const struct index_entry *first = a, *second = b;

  if (first->window != second->window)
    return first->window < second->window ? -1 : 1;
  return first->offset < second->offset ? -1 : first->offset > second->offset;
}

/* Keep the records of this image, one for each window. */
static int
take_records (struct salvage *salvage, const struct salvage_scan *scan,
              struct error *err)
{
  struct image *image = &salvage->image;
  uint64_t count = 0, kept = 0, i;

  image->entries = calloc (scan->record_count + 1, sizeof *image->entries);
  if (image->entries == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot list the records");
  for (i = 0; i < scan->record_count; i++)
    if (record_belongs (&scan->records[i].header, &image->header))
      image->entries[count++] = index_entry_of (&scan->records[i].header,
                                                scan->records[i].offset);
  qsort (image->entries, count, sizeof *image->entries, by_window);
  for (i = 0; i < count; i++)
    if (kept == 0 ||
        image->entries[kept - 1].window != image->entries[i].window)
      image->entries[kept++] = image->entries[i];
  image->footer.record_count = kept;
  return 0;
}

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
evaluate (struct salvage *salvage, const struct salvage_scan *scan,
          struct error *err)
{
  struct image *image = &salvage->image;

  if (scan->record_count > 0 && !salvage->header_found &&
      piece_header_together (scan, &image->header, err) < 0)
    return -1;
  if (take_records (salvage, scan, err) < 0)
    return -1;
  if (image->footer.record_count == 0 && !salvage->header_found)
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "not one whole record of an image in this file");
  if (!salvage->header_found)
    take_frame (salvage, scan);
  if (take_prefix (salvage, err) < 0)
    return -1;
  return salvage_find_gaps (salvage, scan, err);
}

int
salvage_search (struct file *file, struct salvage *salvage,
                struct error *err)
{
  struct salvage_scan scan = { .record_count = 0 };
  struct error invalid = { 0 };
  struct image *image = NULL;
  uint64_t start = 0;
  int result;

  *salvage = (struct salvage) { .image = { .file = file } };
  if (image_open (file, &image, &invalid) == 0) {
    salvage->header_found = true;
    salvage->image.header = image->header;
    start = records_start (&image->header);
    image_close (image);
  }
  result = scan_for_records (file, start, salvage->header_found
                             ? &salvage->image.header : NULL, &scan, err);
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
  salvage->image.entries = NULL;
  salvage->image.prefix = NULL;
  salvage->gaps = NULL;
}
