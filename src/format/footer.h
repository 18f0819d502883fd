/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The footer, the last bytes of a finished image (docs/format.md). */

#ifndef IOPRESS_FORMAT_FOOTER_H
#define IOPRESS_FORMAT_FOOTER_H

#include "format/index.h"

#define FOOTER_BYTES 96
#define FOOTER_MAGIC "IPFT"
#define FOOTER_END_MAGIC "1SSERPOI"

struct footer {
  uint8_t image_id[IMAGE_ID_BYTES];
  uint64_t index_offset;       /* file offset of the index header */
  uint64_t index_bytes;        /* index header and entries */
  uint64_t record_count;
  uint64_t page_count;         /* present pages of all records */
  uint64_t payload_bytes;      /* of all records */
  uint64_t digest;             /* over all record header checksums */
};

/* Layout: 0 magic[4], 4 u32 length 96, 8 image_id[16], 24 u64 index offset,
 * 32 u64 index bytes, 40 u64 records, 48 u64 pages, 56 u64 payload bytes,
 * 64 u64 digest, 72 u64 file offset just past the footer,
 * 80 u64 checksum of bytes 0..79, 88 end magic[8].
 */

/* Write FOOTER, which will stand at file offset OFFSET. */
void footer_encode (const struct footer *footer, uint64_t offset,
                    uint8_t bytes[FOOTER_BYTES]);

/* Read the footer found at file offset OFFSET, which must be where its
 * index ends, and check it against IMAGE: magics, checksum, image id, its own
 * position, totals within what the source can give, index bytes = header +
 * 32 * record_count, index offset = where that many records with that much
 * payload end, or behind that in an unordered image.  Returns 0 or -1 with ERR;
 * a missing end magic says that the image is incomplete.
 */
int footer_decode (const uint8_t bytes[FOOTER_BYTES], uint64_t offset,
                   const struct file_header *image, struct footer *footer,
                   struct error *err);

/* The digest after one more record: start with 0, feed the header checksums
 * in file order.  checksum (le64 digest | le64 header_checksum).
 */
uint64_t digest_next (uint64_t digest, uint64_t header_checksum);

/* Count the record of ENTRY, in file order, in FOOTER's totals and digest,
 * which are 0 before the first.
 */
void footer_count (struct footer *footer, const struct index_entry *entry,
                   uint32_t chunk_bytes);

/* Whether totals and digest of both are the same. */
bool footer_same_totals (const struct footer *a, const struct footer *b);

#endif /* IOPRESS_FORMAT_FOOTER_H */
