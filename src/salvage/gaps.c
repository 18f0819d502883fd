/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is missing of a damaged image. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "format/footer.h"
#include "salvage/salvage_private.h"
#include "util/array.h"

static int
add_gap (struct salvage *salvage, struct salvage_gap gap, struct error *err)
{
  if (gap.first >= gap.end)
    return 0;
  if (!array_grow (&salvage->gaps, salvage->gap_count, sizeof gap))
    return error_set (err, ERROR_FAILED, errno, "cannot list what is missing");
  salvage->gaps[salvage->gap_count++] = gap;
  return 0;
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
gaps_by_index (struct salvage *salvage, const struct image_index *index,
               struct error *err)
{
  struct salvage_gap gap = { .certain = true };
  uint64_t i;

  for (i = 0; i < index->totals.record_count; i++) {
    const struct index_entry *entry = &index->entries[i];

    if (have_window (&salvage->image, entry->window))
      continue;
    if (gap.end != entry->window) {
      if (add_gap (salvage, gap, err) < 0)
        return -1;
      gap.first = entry->window;
      gap.page_count = 0;
    }
    gap.end = entry->window + 1;
    gap.page_count += entry->page_count;
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

/* Without an index: windows may be missing wherever two records do not touch,
 * and of an unordered image all that were not found; and those that were may be
 * older than what is missing.
 */
static int
gaps_by_place (struct salvage *salvage, struct error *err)
{
  const struct image *image = &salvage->image;
  bool unordered = is_unordered (&image->header);
  uint64_t windows = window_count (image->header.source_bytes,
                                   image->header.chunk_bytes);
  uint64_t offset = records_start (&image->header), window = 0, i;

  if (footer_agrees (salvage))
    return 0;
  salvage->versions_uncertain = unordered;
  for (i = 0; i < image->footer.record_count; i++) {
    const struct index_entry *entry = &image->entries[i];
    struct salvage_gap gap = { .first = window, .end = entry->window };

    if ((unordered || entry->offset != offset) &&
        add_gap (salvage, gap, err) < 0)
      return -1;
    offset = entry->offset + entry->record_bytes;
    window = entry->window + 1;
  }
  return add_gap (salvage, (struct salvage_gap) { .first = window,
                                                  .end = windows }, err);
}

int
salvage_find_gaps (struct salvage *salvage, const struct image_index *index,
                   struct error *err)
{
  return index != NULL ? gaps_by_index (salvage, index, err)
    : gaps_by_place (salvage, err);
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

void
salvage_drop_empty (struct image *image)
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
  salvage_drop_empty (image);
  order_gaps (salvage);
  return 0;
}

size_t
salvage_gap_at (const struct salvage *salvage, uint64_t window)
{
  size_t low = 0, high = salvage->gap_count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;

    if (salvage->gaps[middle].end <= window)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

bool
salvage_range_missing (const struct salvage *salvage, uint64_t offset,
                       uint64_t length)
{
  uint64_t chunk = salvage->image.header.chunk_bytes;
  uint64_t end = divide_up (offset + length, chunk);
  size_t gap = salvage_gap_at (salvage, offset / chunk);

  if (salvage->prefix_missing && offset < salvage->image.header.prefix_bytes)
    return true;
  return gap < salvage->gap_count && salvage->gaps[gap].first < end;
}

/* Add the parts of GAP that the RAM blocks do not mark absent.  It goes from
 * one run of absent pages to the next, however many windows a run has.
 */
static int
add_present (struct salvage *salvage, struct salvage_gap gap,
             struct error *err)
{
  const struct mapped_ram *ram = salvage->ram;
  uint64_t chunk = salvage->image.header.chunk_bytes;
  uint64_t end = gap.end, offset = gap.first * chunk;

  for (;;) {
    uint64_t absent = mapped_ram_next_absent (ram, offset);
    uint64_t first = divide_up (absent, chunk);

    if (file_check_cancelled (salvage->image.file, err) < 0)
      return -1;
    if (first >= end)
      break;
    offset = maximum_u64 (mapped_ram_next_present (ram, absent),
                          absent + PAGE_BYTES);
    if (offset / chunk <= first)
      continue;
    gap.end = first;
    if (add_gap (salvage, gap, err) < 0)
      return -1;
    gap.first = minimum_u64 (offset / chunk, end);
  }
  gap.end = end;
  return add_gap (salvage, gap, err);
}

int
salvage_drop_absent (struct salvage *salvage, struct error *err)
{
  struct salvage_gap *gaps = salvage->gaps;
  size_t i, count = salvage->gap_count;
  int result = 0;

  /* The description may be an older one, too. */
  if (salvage->versions_uncertain)
    return 0;
  salvage->gaps = NULL;
  salvage->gap_count = 0;
  for (i = 0; result == 0 && i < count; i++)
    result = gaps[i].certain ? add_gap (salvage, gaps[i], err)
      : add_present (salvage, gaps[i], err);
  free (gaps);
  return result;
}
