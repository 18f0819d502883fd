/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page bitmap of one RAM block (QEMU migration/ram.c,
 * ram_save_file_bmap).
 */

#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "guest/mapped_ram_sections.h"
#include "util/array.h"
#include "util/bytes.h"
#include "util/cleanup.h"

#define BITMAP_PIECE_BYTES (256u << 10)

/* Smaller holes are quicker looked at than listed. */
#define HOLE_BYTES_MIN 4096u

uint64_t
ram_bitmap_bytes (uint64_t pages)
{
  return divide_up (pages, 64) * 8;
}

/* QEMU writes its bitmap as an array of unsigned long in the host's byte
 * order, here taken to be this host's.  Does nothing on little-endian hosts.
 */
static void
bitmap_from_host (uint8_t *bitmap, size_t length)
{
  size_t i;

  for (i = 0; i < length; i += 8) {
    uint64_t word;

    memcpy (&word, bitmap + i, sizeof word);
    put_le64 (bitmap + i, word);
  }
}

/* The first byte of the bitmap at or after DONE that may be set, rounded
 * down to a whole long.
 */
static uint64_t
skip_hole (struct stream *stream, const struct ram_block *block,
           uint64_t done, uint64_t bytes)
{
  uint64_t data = read_at_next_data (stream->file, block->bitmap_offset + done,
                                     block->bitmap_offset + bytes,
                                     BITMAP_PIECE_BYTES, &stream->doubted);

  return align_down (data - block->bitmap_offset, 8);
}

/* Note that no bit is set from byte START to byte END of the bitmap. */
static int
note_hole (struct stream *stream, struct ram_block *block, uint64_t start,
           uint64_t end)
{
  if (end - start < HOLE_BYTES_MIN)
    return 0;
  if (!array_grow (&block->holes, block->hole_count, sizeof *block->holes))
    return error_set (stream->err, ERROR_FAILED, errno, "out of memory");
  block->holes[block->hole_count++] = (struct page_range) {
    .first = start * 8,
    .end = minimum_u64 (end * 8, block->page_count),
  };
  return 0;
}

/* Count LENGTH bytes that are kept in memory. */
static int
keep (struct stream *stream, const struct ram_block *block, size_t length)
{
  uint64_t most = stream->file->kept_bytes_max;

  stream->kept += length;
  if (most == 0 || stream->kept <= most)
    return 0;
  return error_set (stream->err, ERROR_FAILED, 0, "RAM block '%s': the page "
                    "bitmaps up to its own take more than %" PRIu64 " MiB",
                    block->name, most >> 20);
}

/* A piece without a set bit takes no memory of a large bitmap. */
static int
read_pieces (struct stream *stream, struct ram_block *block, uint64_t bytes,
             uint8_t *piece)
{
  uint64_t done = skip_hole (stream, block, 0, bytes);
  uint64_t end = 0;            /* of the last piece with a set bit */

  while (done < bytes) {
    size_t length = (size_t) minimum_u64 (bytes - done, BITMAP_PIECE_BYTES);

    stream->position = block->bitmap_offset + done;
    if (stream_bytes (stream, piece, length, "a page bitmap") < 0)
      return -1;
    if (!bytes_are_zero (piece, length)) {
      if (keep (stream, block, length) < 0 ||
          note_hole (stream, block, end, done) < 0)
        return -1;
      bitmap_from_host (piece, length);
      memcpy (block->bitmap + done, piece, length);
      block->present_count += bitmap_count (piece, 0, length * 8);
      end = done + length;
    }
    done = skip_hole (stream, block, done + length, bytes);
  }
  return note_hole (stream, block, end, bytes);
}

int
ram_bitmap_read (struct stream *stream, struct ram_block *block)
{
  uint64_t bytes = ram_bitmap_bytes (block->page_count);
  CLEANUP_FREE uint8_t *piece = malloc (BITMAP_PIECE_BYTES);

  /* calloc, so that the holes of a large bitmap take no memory. */
  block->bitmap = calloc (maximum_u64 (bytes, 1), 1);
  if (block->bitmap == NULL || piece == NULL)
    return error_set (stream->err, ERROR_FAILED, 0, "out of memory for the "
                      "page bitmap of RAM block '%s' (%" PRIu64 " bytes)",
                      block->name, bytes);
  if (read_pieces (stream, block, bytes, piece) < 0)
    return -1;
  if (bitmap_next_set (block->bitmap, block->page_count, bytes * 8)
      != bytes * 8)
    return stream_fail (stream, "RAM block '%s': its bitmap has bits set past "
                        "its last page", block->name);
  return 0;
}

void
ram_block_free (struct ram_block *block)
{
  free (block->bitmap);
  free (block->holes);
}
