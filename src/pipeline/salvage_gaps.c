/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is missing of a damaged image. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "format/footer.h"
#include "pipeline/salvage_scan.h"
#include "util/checksum.h"

static int
add_gap (struct salvage *salvage, struct salvage_gap gap, struct error *err)
{
  struct salvage_gap *gaps;

  if (gap.first >= gap.end)
    return 0;
  gaps = reallocarray (salvage->gaps, salvage->gap_count + 1, sizeof *gaps);
  if (gaps == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot list what is missing");
  salvage->gaps = gaps;
  gaps[salvage->gap_count++] = gap;
  return 0;
}

/* The entries of the index at OFFSET, if it is whole and this image's.
 * Returns them, to be freed, or NULL.
 */
static uint8_t *
read_index (const struct salvage *salvage, uint64_t offset, uint64_t *count)
{
  const struct file *file = salvage->image.file;
  struct error invalid = { 0 };
  uint8_t bytes[INDEX_HEADER_BYTES], *entries;
  struct index_header index;
  uint64_t length;

  if (file->size - offset < sizeof bytes ||
      file_read_at (file, offset, bytes, sizeof bytes, &invalid) < 0 ||
      index_header_decode (bytes, &salvage->image.header, &index,
                           &invalid) < 0)
    return NULL;
  if (!multiply_u64 (index.entry_count, INDEX_ENTRY_BYTES, &length) ||
      length > file->size - offset - sizeof bytes)
    return NULL;
  entries = malloc (length + 1);
  if (entries != NULL &&
      file_read_at (file, offset + sizeof bytes, entries, length,
                    &invalid) == 0 &&
      checksum (entries, length) == index.entries_checksum) {
    *count = index.entry_count;
    return entries;
  }
  free (entries);
  return NULL;
}

static bool
have_window (const struct image *image, uint64_t window)
{
  uint64_t number = image_find_window (image, window);

  return number < image->footer.record_count &&
    image->entries[number].window == window;
}

/* The index tells exactly which windows there should be. */
static int
gaps_by_index (struct salvage *salvage, const uint8_t *entries,
               uint64_t count, struct error *err)
{
  struct salvage_gap gap = { .certain = true };
  uint64_t i;

  for (i = 0; i < count; i++) {
    struct index_entry entry;

    index_entry_decode (entries + i * INDEX_ENTRY_BYTES, &entry);
    if (have_window (&salvage->image, entry.window))
      continue;
    if (gap.end != entry.window) {
      if (add_gap (salvage, gap, err) < 0)
        return -1;
      gap.first = entry.window;
      gap.page_count = 0;
    }
    gap.end = entry.window + 1;
    gap.page_count += entry.page_count;
  }
  return add_gap (salvage, gap, err);
}

/* Whether the footer at the end of the file says that there is no more than
 * what was found.
 */
static bool
footer_agrees (const struct salvage *salvage)
{
  const struct image *image = &salvage->image;
  struct error invalid = { 0 };
  uint8_t bytes[FOOTER_BYTES];
  struct footer footer;
  uint64_t i, digest = 0, offset;

  if (image->file->size < sizeof bytes)
    return false;
  offset = image->file->size - sizeof bytes;
  if (file_read_at (image->file, offset, bytes, sizeof bytes, &invalid) < 0 ||
      footer_decode (bytes, offset, &image->header, &footer, &invalid) < 0)
    return false;
  for (i = 0; i < image->footer.record_count; i++)
    digest = digest_next (digest, image->entries[i].header_checksum);
  return footer.record_count == image->footer.record_count &&
    footer.digest == digest;
}

/* Without an index: windows may be missing wherever two records do not
 * touch.
 */
static int
gaps_by_place (struct salvage *salvage, struct error *err)
{
  const struct image *image = &salvage->image;
  uint64_t windows = window_count (image->header.source_bytes,
                                   image->header.chunk_bytes);
  uint64_t offset = records_start (&image->header), window = 0, i;

  if (footer_agrees (salvage))
    return 0;
  for (i = 0; i < image->footer.record_count; i++) {
    const struct index_entry *entry = &image->entries[i];
    struct salvage_gap gap = { .first = window, .end = entry->window };

    if (entry->offset != offset && add_gap (salvage, gap, err) < 0)
      return -1;
    offset = entry->offset + entry->record_bytes;
    window = entry->window + 1;
  }
  return add_gap (salvage, (struct salvage_gap) { .first = window,
                                                  .end = windows }, err);
}

int
salvage_find_gaps (struct salvage *salvage, const struct salvage_scan *scan,
           struct error *err)
{
  size_t i;

  for (i = 0; i < scan->index_count; i++) {
    uint64_t count;
    uint8_t *entries = read_index (salvage, scan->index_offsets[i], &count);

    if (entries != NULL) {
      int result = gaps_by_index (salvage, entries, count, err);

      free (entries);
      return result;
    }
  }
  return gaps_by_place (salvage, err);
}

static int
by_first (const void *a, const void *b)
{
  const struct salvage_gap *first = a, *second = b;

  return first->first < second->first ? -1 : first->first > second->first;
}

/* Put the gaps in order; what is certain of windows side by side is one. */
static void
order_gaps (struct salvage *salvage)
{
  struct salvage_gap *gaps = salvage->gaps;
  size_t i, last = 0;

  if (salvage->gap_count == 0)
    return;
  qsort (gaps, salvage->gap_count, sizeof *gaps, by_first);
  for (i = 1; i < salvage->gap_count; i++)
    if (gaps[i].certain && gaps[last].certain &&
        gaps[last].end == gaps[i].first) {
      gaps[last].end = gaps[i].end;
      gaps[last].page_count += gaps[i].page_count;
    }
    else
      gaps[++last] = gaps[i];
  salvage->gap_count = last + 1;
}

/* Forget the records that have no bytes. */
static void
drop_empty_entries (struct image *image)
{
  uint64_t i, kept = 0;

  for (i = 0; i < image->footer.record_count; i++)
    if (image->entries[i].record_bytes > 0)
      image->entries[kept++] = image->entries[i];
  image->footer.record_count = kept;
}

int
salvage_lose_windows (struct salvage *salvage, const uint64_t *windows,
                      size_t count, struct error *err)
{
  struct image *image = &salvage->image;
  size_t i;

  for (i = 0; i < count; i++) {
    struct index_entry *entry = image->entries +
      image_find_window (image, windows[i]);
    struct salvage_gap gap = {
      .first = windows[i],
      .end = windows[i] + 1,
      .certain = true,
      .page_count = entry->page_count,
    };

    if (add_gap (salvage, gap, err) < 0)
      return -1;
    entry->record_bytes = 0;
  }
  drop_empty_entries (image);
  order_gaps (salvage);
  return 0;
}

bool
salvage_range_missing (const struct salvage *salvage, uint64_t offset,
                       uint64_t length)
{
  uint64_t chunk = salvage->image.header.chunk_bytes;
  uint64_t first = offset / chunk;
  uint64_t end = divide_up (offset + length, chunk);
  size_t i;

  if (salvage->prefix_missing && offset < salvage->image.header.prefix_bytes)
    return true;
  for (i = 0; i < salvage->gap_count; i++)
    if (first < salvage->gaps[i].end && end > salvage->gaps[i].first)
      return true;
  return false;
}

/* Whether RAM marks every page of WINDOW absent. */
static bool
window_absent (const struct salvage *salvage, const struct mapped_ram *ram,
               uint64_t window)
{
  uint64_t chunk = salvage->image.header.chunk_bytes;

  return mapped_ram_next_present (ram, window * chunk) >=
    (window + 1) * chunk;
}

int
salvage_drop_absent (struct salvage *salvage, const struct mapped_ram *ram,
                     struct error *err)
{
  struct salvage_gap *gaps = salvage->gaps;
  size_t i, count = salvage->gap_count;
  int result = 0;

  salvage->gaps = NULL;
  salvage->gap_count = 0;
  for (i = 0; result == 0 && i < count; i++) {
    struct salvage_gap gap = gaps[i];
    uint64_t window;

    for (window = gap.first; result == 0 && !gap.certain &&
         window < gaps[i].end; window++)
      if (window_absent (salvage, ram, window)) {
        gap.end = window;
        result = add_gap (salvage, gap, err);
        gap.first = window + 1;
        gap.end = gaps[i].end;
      }
    if (result == 0)
      result = add_gap (salvage, gap, err);
  }
  free (gaps);
  return result;
}
