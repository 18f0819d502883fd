/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which records of a damaged image count.
 *
 * An unordered image holds older records of its windows, too, and pages of
 * several ages make no source.  The index tells which ones count.  Without it
 * the last in the file does, since writers append; where that one is damaged
 * the window is lost, and an older record does not stand in for it.
 */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "salvage/salvage_private.h"
#include "util/cleanup.h"

/* An index of this image whose entries look right at first is read; so many at
 * most, since an image has one.
 */
#define INDEXES_MOST 64

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

static bool
same_image (const struct record_header *record,
            const struct file_header *header)
{
  return memcmp (record->image_id, header->image_id, IMAGE_ID_BYTES) == 0;
}

/* Whether no ordered image has these two records, SECOND behind FIRST. */
static bool
out_of_order (const struct found_record *first,
              const struct found_record *second)
{
  uint64_t end = first->offset + record_bytes (&first->header);

  return first->header.source_bytes != second->header.source_bytes ||
    first->header.window >= second->header.window ||
    (first->header.window + 1 == second->header.window &&
     end != second->offset);
}

/* Whether the records of the image with HEADER show that it is unordered. */
static bool
show_unordered (const struct salvage_scan *scan,
                const struct file_header *header)
{
  const struct found_record *previous = NULL;
  size_t i;

  for (i = 0; i < scan->record_count; i++) {
    const struct found_record *record = &scan->records[i];

    if (!same_image (&record->header, header))
      continue;
    if (previous != NULL && out_of_order (previous, record))
      return true;
    previous = record;
  }
  return false;
}

/* Whether two records of the image with HEADER stand as only those of an
 * ordered one do: one behind the other without a gap.
 */
static bool
show_ordered (const struct salvage_scan *scan,
              const struct file_header *header)
{
  size_t i;

  for (i = 1; i < scan->record_count; i++) {
    const struct found_record *first = &scan->records[i - 1];

    if (same_image (&first->header, header) &&
        same_image (&scan->records[i].header, header) &&
        first->offset + record_bytes (&first->header) ==
        scan->records[i].offset)
      return true;
  }
  return false;
}

void
salvage_extend_source (struct salvage *salvage,
                       const struct salvage_scan *scan)
{
  struct file_header *header = &salvage->image.header;
  uint64_t longest = header->source_bytes;
  size_t i;

  for (i = 0; i < scan->record_count; i++)
    if (record_belongs (&scan->records[i].header, header))
      longest = maximum_u64 (longest, scan->records[i].header.source_bytes);
  salvage->size_uncertain = true;
  header->source_bytes = longest;
}

int
salvage_piece_header (struct salvage *salvage,
                      const struct salvage_scan *scan, struct error *err)
{
  CLEANUP_FREE const struct found_record **records =
    calloc (scan->record_count, sizeof *records);
  struct file_header *header = &salvage->image.header;
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
  if (show_unordered (scan, header)) {
    header->incompatible = FEATURE_UNORDERED;
    salvage_extend_source (salvage, scan);
  }
  return 0;
}

/* Whether a record of this unordered image stands behind OFFSET: what it says
 * is older than that.
 */
static bool
written_since (const struct salvage *salvage, const struct salvage_scan *scan,
               uint64_t offset)
{
  const struct file_header *header = &salvage->image.header;
  size_t i;

  if (!is_unordered (header))
    return false;
  for (i = scan->record_count; i-- > 0 && scan->records[i].offset > offset;)
    if (record_belongs (&scan->records[i].header, header))
      return true;
  for (i = scan->damaged_count; i-- > 0 && scan->damaged[i].offset > offset;)
    if (record_belongs (&scan->damaged[i].header, header))
      return true;
  return false;
}

/* Whether FOUND can be the index of this image, as far as its first bytes tell;
 * its header is then *HEADER.
 */
static bool
index_fits (const struct salvage *salvage, const struct found_index *found,
            struct index_header *header)
{
  const struct file_header *image = &salvage->image.header;
  struct error invalid = { 0 };
  struct index_entry first;

  if (memcmp (found->bytes + INDEX_IMAGE_ID, image->image_id,
              IMAGE_ID_BYTES) != 0 ||
      index_header_decode (found->bytes, image, header, &invalid) < 0)
    return false;
  if (header->entry_count == 0)
    return true;
  index_entry_decode (found->bytes + INDEX_HEADER_BYTES, &first);
  return index_entry_check (&first, NULL, image, INT64_MAX, &invalid) == 0;
}

static int
find_index (struct salvage *salvage, const struct salvage_scan *scan,
            struct image_index *index, struct error *err)
{
  size_t i, tried = 0;

  for (i = scan->index_count; i-- > 0 && tried < INDEXES_MOST;) {
    const struct found_index *found = &scan->indexes[i];
    struct error invalid = { 0 };
    struct index_header header;

    if (file_check_cancelled (salvage->image.file, err) < 0)
      return -1;
    if (!index_fits (salvage, found, &header))
      continue;
    tried++;
    /* Bytes may be lost between the records and the index. */
    if (!written_since (salvage, scan, found->offset) &&
        image_read_index (&salvage->image, found->offset, INT64_MAX, &header,
                          index, &invalid) == 0)
      return 1;
    if (error_lacks_memory (&invalid)) {
      *err = invalid;
      return -1;
    }
  }
  return 0;
}

int
salvage_find_index (struct salvage *salvage, const struct salvage_scan *scan,
                    struct image_index *index, struct error *err)
{
  struct file_header *header = &salvage->image.header;
  int found = find_index (salvage, scan, index, err);

  if (found != 0 || salvage->header_found || is_unordered (header))
    return found;
  header->incompatible = FEATURE_UNORDERED;
  found = find_index (salvage, scan, index, err);
  if (found > 0 || !show_ordered (scan, header))
    salvage_extend_source (salvage, scan);
  else
    header->incompatible = 0;
  return found;
}

static int
by_window (const void *a, const void *b)
{
  const struct index_entry *first = a, *second = b;

  if (first->window != second->window)
    return first->window < second->window ? -1 : 1;
  return first->offset < second->offset ? -1 : first->offset > second->offset;
}

/* Whether INDEX names RECORD.  Its place does not matter: bytes may have been
 * lost before it.
 */
static bool
named (const struct image_index *index, const struct index_entry *record)
{
  uint64_t low = 0, high = index->totals.record_count;

  while (low < high) {
    uint64_t middle = low + (high - low) / 2;

    if (index->entries[middle].window < record->window)
      low = middle + 1;
    else
      high = middle;
  }
  return low < index->totals.record_count &&
    index->entries[low].window == record->window &&
    index->entries[low].header_checksum == record->header_checksum;
}

/* Of the entries, COUNT and by window, keep one for each window. */
static void
keep_one_each (struct salvage *salvage, uint64_t count, bool last)
{
  struct index_entry *entries = salvage->image.entries;
  uint64_t kept = 0, repeated = UINT64_MAX, i;

  for (i = 0; i < count; i++) {
    if (kept == 0 || entries[kept - 1].window != entries[i].window) {
      entries[kept++] = entries[i];
      continue;
    }
    if (last)
      entries[kept - 1] = entries[i];
    if (repeated != entries[i].window)
      salvage->repeated_windows++;
    repeated = entries[i].window;
  }
  salvage->image.footer.record_count = kept;
}

/* Drop the records behind which there are damaged ones of the same windows. */
static void
drop_older (struct salvage *salvage, const struct salvage_scan *scan)
{
  struct image *image = &salvage->image;
  size_t i;

  for (i = 0; i < scan->damaged_count; i++) {
    const struct found_record *damaged = &scan->damaged[i];
    uint64_t number = image_find_window (image, damaged->header.window);

    if (record_belongs (&damaged->header, &image->header) &&
        number < image->footer.record_count &&
        image->entries[number].window == damaged->header.window &&
        image->entries[number].offset < damaged->offset)
      image->entries[number].record_bytes = 0;
  }
  salvage_drop_empty (image);
}

int
salvage_take_records (struct salvage *salvage, const struct salvage_scan *scan,
                      const struct image_index *index, struct error *err)
{
  struct image *image = &salvage->image;
  bool last = index == NULL && is_unordered (&image->header);
  uint64_t windows = window_count (image->header.source_bytes,
                                   image->header.chunk_bytes);
  uint64_t count = 0, i;

  image->entries = calloc (scan->record_count + 1, sizeof *image->entries);
  if (image->entries == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot list the records");
  for (i = 0; i < scan->record_count; i++) {
    const struct found_record *found = &scan->records[i];
    struct index_entry entry = index_entry_of (&found->header, found->offset);

    /* The source may have been longer once. */
    if (record_belongs (&found->header, &image->header) &&
        entry.window < windows &&
        (index == NULL || named (index, &entry)))
      image->entries[count++] = entry;
  }
  qsort (image->entries, count, sizeof *image->entries, by_window);
  keep_one_each (salvage, count, last);
  if (last)
    drop_older (salvage, scan);
  return 0;
}
