/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What iopress recover says is missing. */

#include <config.h>

#include <inttypes.h>

#include "cmd/recover_report.h"
#include "util/json.h"
#include "util/size.h"

/* A range of the source that a gap spans. */
struct range {
  uint64_t start, end;
};

static struct range
gap_range (const struct salvage *salvage, const struct salvage_gap *gap)
{
  const struct file_header *header = &salvage->image.header;

  return (struct range) {
    .start = gap->first * header->chunk_bytes,
    .end = minimum_u64 (gap->end * header->chunk_bytes, header->source_bytes),
  };
}

uint64_t
recover_missing_bytes (const struct salvage *salvage)
{
  uint64_t bytes = salvage->prefix_missing
    ? salvage->image.header.prefix_bytes : 0;
  size_t i;

  for (i = 0; i < salvage->gap_count; i++) {
    struct range range = gap_range (salvage, &salvage->gaps[i]);

    bytes += range.end - range.start;
  }
  return bytes;
}

/* The part of RANGE that lies in BLOCK's pages, in guest addresses of the
 * block; false when there is none.
 */
static bool
block_part (const struct ram_block *block, const struct range *range,
            struct range *part)
{
  uint64_t end = block->pages_offset + block->used_bytes;

  if (block->ignored || range->end <= block->pages_offset ||
      range->start >= end)
    return false;
  part->start = maximum_u64 (range->start, block->pages_offset) -
    block->pages_offset;
  part->end = minimum_u64 (range->end, end) - block->pages_offset;
  return true;
}

/* The RAM blocks, gone along with the gaps: both ascend. */
struct blocks {
  const struct mapped_ram *ram;        /* NULL: not known */
  size_t next;                 /* those before it end before the gap */
};

/* The blocks of which RANGE may have a part are those from blocks->next on, up
 * to the number that this returns.
 */
static size_t
go_along (struct blocks *blocks, const struct range *range)
{
  const struct mapped_ram *ram = blocks->ram;
  size_t end;

  if (ram == NULL)
    return 0;
  while (blocks->next < ram->block_count &&
         (ram->blocks[blocks->next].ignored ||
          ram->blocks[blocks->next].pages_offset +
          ram->blocks[blocks->next].used_bytes <= range->start))
    blocks->next++;
  for (end = blocks->next; end < ram->block_count; end++)
    if (ram->blocks[end].pages_offset >= range->end)
      break;
  return end;
}

/* Pages that the guest had in PART of BLOCK. */
static uint64_t
pages_in_part (const struct ram_block *block, const struct range *part)
{
  uint64_t first = part->start / block->page_bytes;
  uint64_t end = divide_up (part->end, block->page_bytes);

  return mapped_ram_count (block, first, end);
}

static void
print_gap (const struct salvage *salvage, const struct salvage_gap *gap,
           struct blocks *blocks, FILE *stream)
{
  struct range range = gap_range (salvage, gap), part;
  const struct mapped_ram *ram = blocks->ram;
  char size[SIZE_TEXT_BYTES];
  size_t i, end = go_along (blocks, &range);

  fprintf (stream, "%s bytes %" PRIu64 " to %" PRIu64 " of the file (%s",
           gap->certain ? "missing:  " : "uncertain:", range.start, range.end,
           size_format (range.end - range.start, size));
  if (gap->certain)
    fprintf (stream, ", %" PRIu64 " pages of 4096 bytes", gap->page_count);
  fprintf (stream, ")\n");
  for (i = blocks->next; i < end; i++)
    if (block_part (&ram->blocks[i], &range, &part))
      fprintf (stream, "           RAM block %s: bytes %" PRIu64 " to %" PRIu64
               ", %" PRIu64 " pages of %" PRIu64 " bytes\n",
               ram->blocks[i].name, part.start, part.end,
               pages_in_part (&ram->blocks[i], &part),
               ram->blocks[i].page_bytes);
}

/* What no gap shows: records that are whole may be of no use. */
static void
print_uncertain (const struct salvage *salvage, FILE *stream)
{
  if (salvage->versions_uncertain)
    fprintf (stream, "uncertain: whether the records are the last of their "
             "windows; of %" PRIu64 " with several, the one that stands last "
             "in the image was taken\n", salvage->repeated_windows);
  if (salvage->size_uncertain)
    fprintf (stream, "uncertain: the size of the file, %" PRIu64 " bytes by "
             "the records\n", salvage->image.header.source_bytes);
}

static void
print_text (const struct salvage *salvage, FILE *stream)
{
  struct blocks blocks = { .ram = salvage->ram };
  size_t i;

  fprintf (stream, "recovered: %" PRIu64 " records%s\n",
           salvage->image.footer.record_count,
           salvage->header_found ? "" : ", without a file header");
  if (salvage->prefix_missing)
    fprintf (stream, "missing:   bytes 0 to %" PRIu64 " of the file (what "
             "stood before QEMU's stream)\n",
             salvage->image.header.prefix_bytes);
  for (i = 0; i < salvage->gap_count; i++)
    print_gap (salvage, &salvage->gaps[i], &blocks, stream);
  print_uncertain (salvage, stream);
  if (salvage->gap_count > 0 && salvage->ram == NULL &&
      salvage->image.header.kind == IMAGE_MAPPED_RAM)
    fprintf (stream, "which RAM blocks these are is not known: their "
             "description is missing, too\n");
}

static void
add_blocks (struct json *report, struct blocks *known,
            const struct range *range)
{
  const struct mapped_ram *ram = known->ram;
  struct range part;
  size_t i, end = go_along (known, range);

  json_open_array (report, "ram_blocks");
  for (i = known->next; i < end; i++)
    if (block_part (&ram->blocks[i], range, &part)) {
      json_open_object (report, NULL);
      json_add_string (report, "name", ram->blocks[i].name);
      json_add_number (report, "offset", part.start);
      json_add_number (report, "size", part.end - part.start);
      json_add_number (report, "page_size", ram->blocks[i].page_bytes);
      json_add_number (report, "pages", pages_in_part (&ram->blocks[i], &part));
      json_close (report);
    }
  json_close (report);
}

static void
add_gap (struct json *report, const struct salvage *salvage,
         const struct salvage_gap *gap, struct blocks *blocks)
{
  struct range range = gap_range (salvage, gap);

  json_open_object (report, NULL);
  json_add_number (report, "offset", range.start);
  json_add_number (report, "size", range.end - range.start);
  json_add_boolean (report, "certain", gap->certain);
  if (gap->certain)
    json_add_number (report, "pages", gap->page_count);
  if (blocks->ram != NULL)
    add_blocks (report, blocks, &range);
  json_close (report);
}

static void
print_json (const struct salvage *salvage, FILE *stream)
{
  struct blocks blocks = { .ram = salvage->ram };
  struct json report;
  size_t i;

  json_begin (&report, stream);
  json_add_number (&report, "records", salvage->image.footer.record_count);
  json_add_number (&report, "source_size", salvage->image.header.source_bytes);
  json_add_boolean (&report, "header_found", salvage->header_found);
  json_add_boolean (&report, "prefix_missing", salvage->prefix_missing);
  json_add_boolean (&report, "versions_uncertain",
                    salvage->versions_uncertain);
  json_add_boolean (&report, "size_uncertain", salvage->size_uncertain);
  json_add_boolean (&report, "complete", recover_missing_bytes (salvage) == 0
                    && !salvage->versions_uncertain
                    && !salvage->size_uncertain);
  json_add_number (&report, "missing_size", recover_missing_bytes (salvage));
  json_open_array (&report, "missing");
  for (i = 0; i < salvage->gap_count; i++)
    add_gap (&report, salvage, &salvage->gaps[i], &blocks);
  json_close (&report);
  json_end (&report);
}

void
recover_report (const struct salvage *salvage, bool json, FILE *stream)
{
  if (json)
    print_json (salvage, stream);
  else
    print_text (salvage, stream);
}
