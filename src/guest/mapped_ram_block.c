/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The RAM blocks of a mapped-ram stream: headers, and where bitmaps and
 * pages lie (QEMU migration/ram.c, mapped_ram_setup_ramblock).
 */

#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "guest/mapped_ram_sections.h"
#include "util/array.h"
#include "util/bytes.h"

#define MAX_BLOCKS 4096
#define BLOCK_VERSION 1u
#define BLOCK_HEAD "a RAM block header"

static int block_fail (struct stream *stream, const struct ram_block *block,
                       const char *format, ...)
  __attribute__ ((format (printf, 3, 4)));

static int
block_fail (struct stream *stream, const struct ram_block *block,
            const char *format, ...)
{
  char why[200];
  va_list args;

  va_start (args, format);
  vsnprintf (why, sizeof why, format, args);
  va_end (args);
  return stream_fail (stream, "RAM block '%s': %s", block->name, why);
}

static int
read_identity (struct stream *stream, const struct mapped_ram *ram,
               struct ram_block *block)
{
  if (stream_name (stream, block->name, "a RAM block name") < 0 ||
      stream_be64 (stream, &block->used_bytes, BLOCK_HEAD) < 0)
    return -1;
  /* The guest address that ignore-shared adds is of no use here. */
  return ram->ignore_shared ? stream_skip (stream, 8, BLOCK_HEAD) : 0;
}

static int
read_header (struct stream *stream, struct ram_block *block)
{
  uint64_t start = stream->position;
  uint32_t version;

  if (stream_be32 (stream, &version, BLOCK_HEAD) < 0)
    return -1;
  if (version != BLOCK_VERSION)
    return block_fail (stream, block, "header at byte %" PRIu64
                       " has version %" PRIu32 ", only %u is known", start,
                       version, BLOCK_VERSION);
  if (stream_be64 (stream, &block->page_bytes, BLOCK_HEAD) < 0 ||
      stream_be64 (stream, &block->bitmap_offset, BLOCK_HEAD) < 0 ||
      stream_be64 (stream, &block->pages_offset, BLOCK_HEAD) < 0)
    return -1;
  return 0;
}

static int
check_pages (struct stream *stream, struct ram_block *block)
{
  if (block->page_bytes < GUEST_PAGE_BYTES_MIN ||
      !is_power_of_two (block->page_bytes))
    return block_fail (stream, block, "page size %" PRIu64
                       " is not a power of two of at least %u",
                       block->page_bytes, GUEST_PAGE_BYTES_MIN);
  if (block->used_bytes % block->page_bytes != 0)
    return block_fail (stream, block, "its %" PRIu64 " bytes are not whole "
                       "pages of %" PRIu64, block->used_bytes,
                       block->page_bytes);
  block->page_count = block->used_bytes / block->page_bytes;
  return 0;
}

static int
check_order (struct stream *stream, const struct ram_block *block)
{
  uint64_t bitmap_end;

  if (block->bitmap_offset < stream->position)
    return block_fail (stream, block, "its bitmap at byte %" PRIu64
                       " lies before the end of its header at byte %" PRIu64,
                       block->bitmap_offset, stream->position);
  if (!add_u64 (block->bitmap_offset, ram_bitmap_bytes (block->page_count),
                &bitmap_end) ||
      bitmap_end > block->pages_offset)
    return block_fail (stream, block, "its pages at byte %" PRIu64
                       " lie before the end of its bitmap",
                       block->pages_offset);
  if (block->pages_offset % PAGE_BYTES != 0)
    return block_fail (stream, block, "its pages at byte %" PRIu64
                       " do not begin at a multiple of %u",
                       block->pages_offset, PAGE_BYTES);
  return 0;
}

static int
check_bounds (struct stream *stream, const struct ram_block *block)
{
  uint64_t end;

  if (add_u64 (block->pages_offset, block->used_bytes, &end) &&
      end <= stream->file->size)
    return 0;
  return stream_fail (stream, "cut off: the file ends at byte %" PRIu64
                      ", before the end of the pages of RAM block '%s'",
                      stream->file->size, block->name);
}

static int
read_block (struct stream *stream, const struct mapped_ram *ram,
            struct ram_block *block, uint64_t remaining)
{
  if (read_identity (stream, ram, block) < 0)
    return -1;
  if (block->used_bytes > remaining)
    return block_fail (stream, block, "its %" PRIu64 " bytes are more than "
                       "the %" PRIu64 " left of the announced total",
                       block->used_bytes, remaining);
  if (read_header (stream, block) < 0 ||
      check_pages (stream, block) < 0)
    return -1;
  if (ram->ignore_shared && block->bitmap_offset == 0 &&
      block->pages_offset == 0) {
    block->ignored = true;
    return 0;
  }
  if (check_order (stream, block) < 0 ||
      check_bounds (stream, block) < 0 ||
      ram_bitmap_read (stream, block) < 0)
    return -1;
  stream->position = block->pages_offset + block->used_bytes;
  return 0;
}

/* A zeroed block at the end of the list, or NULL with the stream's err. */
static struct ram_block *
add_block (struct stream *stream, struct mapped_ram *ram)
{
  size_t count = ram->block_count;

  if (count == MAX_BLOCKS) {
    stream_fail (stream, "more than %d RAM blocks", MAX_BLOCKS);
    return NULL;
  }
  if (!array_grow (&ram->blocks, count, sizeof *ram->blocks)) {
    error_set (stream->err, ERROR_FAILED, errno, "out of memory");
    return NULL;
  }
  ram->blocks[count] = (struct ram_block) { 0 };
  ram->block_count++;
  return &ram->blocks[count];
}

int
ram_blocks_read (struct stream *stream, struct mapped_ram *ram)
{
  uint64_t start = stream->position;
  uint64_t remaining;

  if (stream_be64 (stream, &remaining, "the RAM section") < 0)
    return -1;
  if ((remaining & RAM_FLAGS_MASK) != RAM_FLAG_MEM_SIZE)
    return stream_fail (stream, "RAM section does not begin with a list of "
                        "RAM blocks at byte %" PRIu64, start);
  remaining -= RAM_FLAG_MEM_SIZE;
  while (remaining > 0) {
    struct ram_block *block = add_block (stream, ram);

    if (block == NULL)
      return -1;
    if (read_block (stream, ram, block, remaining) < 0) {
      ram_block_free (block);
      ram->block_count--;      /* what is listed is whole */
      return -1;
    }
    remaining -= block->used_bytes;
    ram->small_pages |= block->page_bytes < PAGE_BYTES;
  }
  return 0;
}
