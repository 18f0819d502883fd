/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lets mutations get past the checksums of the image format. */

#include <config.h>

#include <string.h>

#include "format/footer.h"
#include "format/marker.h"
#include "format/part.h"
#include "fuzz.h"
#include "util/checksum.h"

/* Each makes right what is sealed in the part at PLACE, whose magic and fixed
 * bytes are there.
 */
typedef void reseal_part (uint8_t *bytes, size_t length, size_t place);

static void
reseal_file_header (uint8_t *bytes, size_t length, size_t place)
{
  (void) length;
  part_seal (bytes + place, FILE_HEADER_BYTES - 8);
}

static void
reseal_marker (uint8_t *bytes, size_t length, size_t place)
{
  (void) length;
  part_seal (bytes + place, MARKER_BYTES - 8);
}

/* The lengths count only when they are such as can be. */
static void
reseal_record (uint8_t *bytes, size_t length, size_t place)
{
  uint8_t *record = bytes + place, *body = record + RECORD_HEADER_BYTES;
  size_t room = length - place - RECORD_HEADER_BYTES;
  size_t map = get_le32 (record + 44) / PAGE_BYTES / 8;
  size_t payload = get_le32 (record + 52);

  if (map + payload <= room) {
    if (get_le32 (record + 4) == RECORD_STORED)
      put_le64 (record + 56, checksum (body + map, payload));
    put_le64 (record + 64, checksum (body, map + payload));
  }
  part_seal (record, RECORD_HEADER_BYTES - 8);
}

/* An entry has the checksum of the record that it leads to, if there is one. */
static void
reseal_entry (const uint8_t *bytes, size_t length, uint8_t *entry)
{
  uint64_t offset = get_le64 (entry + 8);

  if (offset <= length && length - offset >= RECORD_HEADER_BYTES &&
      memcmp (bytes + offset, RECORD_MAGIC, RECORD_MAGIC_BYTES) == 0)
    memcpy (entry + 24, bytes + offset + RECORD_HEADER_BYTES - 8, 8);
}

/* How many entries of the index at PLACE are there. */
static uint64_t
entry_count (const uint8_t *bytes, size_t length, size_t place)
{
  return minimum_u64 (get_le64 (bytes + place + 24),
                      (length - place - INDEX_HEADER_BYTES)
                      / INDEX_ENTRY_BYTES);
}

static void
reseal_index (uint8_t *bytes, size_t length, size_t place)
{
  uint8_t *entries = bytes + place + INDEX_HEADER_BYTES;
  uint64_t i, count = entry_count (bytes, length, place);

  for (i = 0; i < count; i++)
    reseal_entry (bytes, length, entries + i * INDEX_ENTRY_BYTES);
  put_le64 (bytes + place + 32,
            checksum (entries, (size_t) count * INDEX_ENTRY_BYTES));
  part_seal (bytes + place, INDEX_HEADER_BYTES - 8);
}

/* The digest of the index that the footer leads to. */
static void
reseal_footer (uint8_t *bytes, size_t length, size_t place)
{
  uint64_t i, count = 0, digest = 0, index = get_le64 (bytes + place + 24);

  if (index <= length && length - index >= INDEX_HEADER_BYTES &&
      memcmp (bytes + index, INDEX_MAGIC, INDEX_MAGIC_BYTES) == 0)
    count = entry_count (bytes, length, (size_t) index);
  for (i = 0; i < count; i++)
    digest = digest_next (digest, get_le64 (bytes + index + INDEX_HEADER_BYTES
                                            + i * INDEX_ENTRY_BYTES + 24));
  if (count > 0)
    put_le64 (bytes + place + 64, digest);
  part_seal (bytes + place, 80);
}

static void
reseal_all (uint8_t *bytes, size_t length, const char *magic, size_t fixed,
            reseal_part *reseal)
{
  size_t size = strlen (magic), place = 0;
  const uint8_t *found;

  while ((found = memmem (bytes + place, length - place, magic, size))) {
    place = (size_t) (found - bytes);
    if (length - place < fixed)
      return;
    reseal (bytes, length, place);
    place += size;
  }
}

void
fuzz_reseal (uint8_t *bytes, size_t length)
{
  reseal_all (bytes, length, FILE_HEADER_MAGIC, FILE_HEADER_BYTES,
              reseal_file_header);
  reseal_all (bytes, length, MARKER_MAGIC_CONSUMED, MARKER_BYTES,
              reseal_marker);
  reseal_all (bytes, length, MARKER_MAGIC_EXPANDING, MARKER_BYTES,
              reseal_marker);
  reseal_all (bytes, length, RECORD_MAGIC, RECORD_HEADER_BYTES,
              reseal_record);
  /* What has the checksums of others comes behind them. */
  reseal_all (bytes, length, INDEX_MAGIC, INDEX_HEADER_BYTES, reseal_index);
  reseal_all (bytes, length, FOOTER_MAGIC, FOOTER_BYTES, reseal_footer);
}
