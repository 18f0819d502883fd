/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The index record: where each window's record is (docs/format.md). */

#ifndef IOPRESS_FORMAT_INDEX_H
#define IOPRESS_FORMAT_INDEX_H

#include "format/record.h"

#define INDEX_HEADER_BYTES 48
#define INDEX_ENTRY_BYTES 32
#define INDEX_MAGIC "IPIX"
#define INDEX_MAGIC_BYTES 4

/* Where the image id stands in the header. */
#define INDEX_IMAGE_ID 8

struct index_header {
  uint8_t image_id[IMAGE_ID_BYTES];
  uint64_t entry_count;
  uint64_t entries_checksum;   /* of entry_count * 32 encoded bytes */
};

/* Layout: 0 magic[4], 4 u32 entry length 32, 8 image_id[16],
 * 24 u64 count, 32 u64 entries checksum, 40 u64 checksum of bytes 0..39.
 */

struct index_entry {
  uint64_t window;
  uint64_t offset;             /* file offset of the record */
  uint32_t record_bytes;       /* header, page map and payload */
  uint32_t page_count;         /* present pages, 1 .. chunk / 4096 */
  uint64_t header_checksum;    /* the record's own header checksum */
};

/* Layout: 0 u64 window, 8 u64 offset, 16 u32 bytes, 20 u32 pages,
 * 24 u64 header checksum.
 */

void index_header_encode (const struct index_header *header,
                          uint8_t bytes[INDEX_HEADER_BYTES]);

/* Returns 0, or -1 with ERR (magic, checksum, image id, entry length; a count
 * that the number of windows of IMAGE cannot hold).  The caller holds the
 * count against the footer's and checks the entries' checksum.
 */
int index_header_decode (const uint8_t bytes[INDEX_HEADER_BYTES],
                         const struct file_header *image,
                         struct index_header *header, struct error *err);

/* Whether the header's checksum is right: cheap, for bytes that are full of
 * magics.
 */
bool index_header_sealed (const uint8_t bytes[INDEX_HEADER_BYTES]);

void index_entry_encode (const struct index_entry *entry,
                         uint8_t bytes[INDEX_ENTRY_BYTES]);
void index_entry_decode (const uint8_t bytes[INDEX_ENTRY_BYTES],
                         struct index_entry *entry);

/* Check one entry against the one before it (NULL for the first): windows
 * ascend and lie within the source, the record begins where the previous one
 * ended (the first: at records_start; all, of an unordered image: at or behind
 * that) and ends at or before INDEX_OFFSET, lengths and page count are within
 * bounds.  PREVIOUS has passed this check.  The caller checks that the last
 * entry ends at INDEX_OFFSET, by comparing totals with the footer's; or, of an
 * unordered image, that no two overlap.  Returns 0 or -1 with ERR.
 */
int index_entry_check (const struct index_entry *entry,
                       const struct index_entry *previous,
                       const struct file_header *image,
                       uint64_t index_offset, struct error *err);

/* The entry that describes a record at file offset OFFSET. */
struct index_entry index_entry_of (const struct record_header *record,
                                   uint64_t offset);

#endif /* IOPRESS_FORMAT_INDEX_H */
