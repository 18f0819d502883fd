/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether QEMU finished a mapped-ram file: what stands at its end, and
 * whether the bitmaps agree with the pages (QEMU migration/savevm.c,
 * qemu_savevm_state_complete_precopy).
 */

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "guest/mapped_ram_sections.h"
#include "util/bytes.h"
#include "util/cleanup.h"

/* How far from the end of the file the tail is searched. */
#define TAIL_LIMIT_BYTES (UINT64_C (64) << 20)
#define PIECE_BYTES (256u << 10)

/* EOF, description type, be32 length, and the JSON's first byte. */
#define JSON_HEAD_BYTES 7u

/* END type, section id, be64 EOS. */
#define RAM_END_BYTES 13u

/* A piece of the file in memory. */
struct piece {
  const struct read_at *file;
  struct error *err;
  uint64_t offset;             /* where it begins in the file */
  size_t length;
  uint8_t *bytes;              /* PIECE_BYTES of room */
};

static int
piece_load (struct piece *piece, uint64_t offset, uint64_t end)
{
  const struct read_at *file = piece->file;

  piece->offset = offset;
  piece->length = (size_t) minimum_u64 (end - offset, PIECE_BYTES);
  return file->read (file->opaque, offset, piece->bytes, piece->length,
                     piece->err);
}

/* Whether the byte I of PIECE begins EOF and a JSON description that ends
 * with the file.
 */
static bool
is_json_head (const struct piece *piece, size_t i)
{
  const uint8_t *bytes = piece->bytes + i;
  uint64_t json = piece->offset + i + JSON_HEAD_BYTES - 1;

  return bytes[0] == SECTION_EOF && bytes[1] == SECTION_DESCRIPTION &&
    bytes[6] == '{' && get_be32 (bytes + 2) == piece->file->size - json;
}

static bool
piece_has_json_head (const struct piece *piece)
{
  size_t i;

  for (i = piece->length - JSON_HEAD_BYTES + 1; i-- > 0; )
    if (is_json_head (piece, i))
      return true;
  return false;
}

/* Search backwards from the end of the file, down to the RAM section. */
static int
find_json (struct piece *piece, uint64_t ram_end, bool *found)
{
  uint64_t size = piece->file->size;
  uint64_t low = maximum_u64 (ram_end, size - minimum_u64 (size,
                                                         TAIL_LIMIT_BYTES));
  uint64_t end = size;

  if (piece_load (piece, size - 1, size) < 0)
    return -1;
  if (piece->bytes[0] != '}')
    return 0;
  while (end - low >= JSON_HEAD_BYTES) {
    uint64_t start = end - minimum_u64 (end - low, PIECE_BYTES);

    if (piece_load (piece, start, end) < 0)
      return -1;
    if (piece_has_json_head (piece)) {
      *found = true;
      return 0;
    }
    if (start == low)
      break;
    /* The head may lie across the border of two pieces. */
    end = start + JSON_HEAD_BYTES - 1;
  }
  return 0;
}

static bool
piece_has_ram_end (const struct piece *piece)
{
  static const uint8_t eos[8] = { [7] = RAM_FLAG_EOS };
  size_t i;

  for (i = 0; i + RAM_END_BYTES <= piece->length; i++)
    if (piece->bytes[i] == SECTION_END &&
        memcmp (piece->bytes + i + 5, eos, sizeof eos) == 0)
      return true;
  return false;
}

/* Whether the RAM section is closed: QEMU writes its END after the bitmaps. */
static int
find_ram_end (struct piece *piece, uint64_t ram_end, bool *found)
{
  uint64_t left = piece->file->size - ram_end;
  uint64_t limit = ram_end + minimum_u64 (left, TAIL_LIMIT_BYTES);
  uint64_t start = ram_end;

  while (limit - start >= RAM_END_BYTES) {
    if (piece_load (piece, start, limit) < 0)
      return -1;
    if (piece_has_ram_end (piece)) {
      *found = true;
      return 0;
    }
    start += piece->length - (RAM_END_BYTES - 1);
  }
  return 0;
}

/* A stream without a description ends with EOF alone, after the footer of
 * its last section where there are footers.
 */
static int
find_bare_eof (struct piece *piece, const struct mapped_ram *ram, bool *found)
{
  uint64_t size = piece->file->size;
  uint64_t length = ram->has_footers ? 6 : 1;

  if (size - ram->ram_end < length)
    return 0;
  if (piece_load (piece, size - length, size) < 0)
    return -1;
  if (piece->bytes[length - 1] != SECTION_EOF ||
      (ram->has_footers && piece->bytes[0] != SECTION_FOOTER))
    return 0;
  return find_ram_end (piece, ram->ram_end, found);
}

static int
find_tail (struct piece *piece, const struct mapped_ram *ram, bool *found)
{
  *found = false;
  if (piece->file->size <= ram->ram_end)
    return 0;
  if (find_json (piece, ram->ram_end, found) < 0)
    return -1;
  return *found ? 0 : find_bare_eof (piece, ram, found);
}

static bool
bitmaps_clear (const struct mapped_ram *ram)
{
  size_t i;

  for (i = 0; i < ram->block_count; i++)
    if (ram->blocks[i].present_count > 0)
      return false;
  return true;
}

static int
find_block_data (struct piece *piece, const struct ram_block *block,
                 uint64_t *doubted, bool *found)
{
  uint64_t end = minimum_u64 (block->pages_offset + block->used_bytes,
                              piece->file->size);
  uint64_t at = read_at_next_data (piece->file, block->pages_offset, end,
                                   PIECE_BYTES, doubted);

  while (at < end) {
    if (piece_load (piece, at, end) < 0)
      return -1;
    if (!bytes_are_zero (piece->bytes, piece->length)) {
      *found = true;
      return 0;
    }
    at = read_at_next_data (piece->file, at + piece->length, end, PIECE_BYTES,
                            doubted);
  }
  return 0;
}

/* Whether any page region holds a byte that is not zero. */
static int
find_page_data (struct piece *piece, const struct mapped_ram *ram,
                bool *found)
{
  uint64_t doubted = 0;
  size_t i;

  *found = false;
  for (i = 0; i < ram->block_count && !*found; i++)
    if (!ram->blocks[i].ignored &&
        find_block_data (piece, &ram->blocks[i], &doubted, found) < 0)
      return -1;
  return 0;
}

/* Bitmaps that are all clear are right only when there is nothing to load. */
static int
check_nothing_lost (struct piece *piece, const struct mapped_ram *ram)
{
  bool data;

  if (find_page_data (piece, ram, &data) < 0)
    return -1;
  if (!data)
    return 0;
  return error_set (piece->err, ERROR_BAD_INPUT, 0, "background snapshot: its "
                    "page bitmaps are empty, QEMU cannot load it");
}

static int
say_cut_off (struct error *err)
{
  return error_set (err, ERROR_BAD_INPUT, 0, "cut off: the end of QEMU's "
                    "stream is missing (the file was cut, bytes were "
                    "appended, or QEMU was killed)");
}

int
mapped_ram_check_complete (const struct read_at *file,
                           const struct mapped_ram *ram, struct error *err)
{
  CLEANUP_FREE uint8_t *room = malloc (PIECE_BYTES);
  struct piece piece = { .file = file, .err = err, .bytes = room };
  bool clear = bitmaps_clear (ram);
  bool tail;

  if (room == NULL)
    return error_set (err, ERROR_FAILED, 0, "out of memory");
  if (find_tail (&piece, ram, &tail) < 0)
    return -1;
  if (tail)
    return clear ? check_nothing_lost (&piece, ram) : 0;
  if (clear)
    return error_set (err, ERROR_BAD_INPUT, 0, "QEMU has not finished writing "
                      "this file: the save is still running, or was "
                      "cancelled or killed");
  return say_cut_off (err);
}

int
plain_stream_check_end (const struct read_at *file, uint64_t offset,
                        struct error *err)
{
  CLEANUP_FREE uint8_t *room = malloc (PIECE_BYTES);
  struct piece piece = { .file = file, .err = err, .bytes = room };
  bool json = false;

  if (room == NULL)
    return error_set (err, ERROR_FAILED, 0, "out of memory");
  if (file->size <= offset)
    return say_cut_off (err);
  if (find_json (&piece, offset, &json) < 0 ||
      piece_load (&piece, file->size - 1, file->size) < 0)
    return -1;
  return json || piece.bytes[0] == SECTION_EOF ? 0 : say_cut_off (err);
}
