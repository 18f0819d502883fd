/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small mapped-ram files in memory, for the tests of src/guest. */

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "mapped_ram_image.h"
#include "util/bytes.h"

static const char description[] = "{\"page_size\": 4096, \"devices\": [{}]}";

/* Make the image reach to SIZE, the new part zero. */
static void
extend (struct image *image, size_t size)
{
  if (size > image->room) {
    size_t room = size * 2;
    uint8_t *bytes = realloc (image->bytes, room);

    if (bytes == NULL)
      abort ();
    memset (bytes + image->room, 0, room - image->room);
    image->bytes = bytes;
    image->room = room;
  }
  if (size > image->size)
    image->size = size;
}

static void
put (struct image *image, const void *bytes, size_t length)
{
  size_t at = image->size;

  extend (image, at + length);
  memcpy (image->bytes + at, bytes, length);
}

static void
put_integer (struct image *image, uint64_t value, size_t length)
{
  uint8_t bytes[8];

  put_be64 (bytes, value);
  put (image, bytes + 8 - length, length);
}

static void
put_name (struct image *image, const char *name)
{
  put_integer (image, strlen (name), 1);
  put (image, name, strlen (name));
}

static void
put_subsection (struct image *image, const char *name)
{
  put_integer (image, 0x05, 1);
  put_name (image, name);
  put_integer (image, 1, 4);
}

static void
put_capabilities (const struct image_shape *shape, struct image *image)
{
  image->capability_at = image->size;
  if (shape->no_capability && !shape->ignore_shared)
    return;
  put_subsection (image, "configuration/capabilities");
  put_integer (image, (shape->ignore_shared ? 1u : 0u)
               + (shape->no_capability ? 0u : 1u), 4);
  if (shape->ignore_shared)
    put_name (image, "x-ignore-shared");
  if (!shape->no_capability)
    put_name (image, "mapped-ram");
}

static void
put_head (const struct image_shape *shape, struct image *image)
{
  const char *machine = shape->machine == NULL ? "pc" : shape->machine;

  put (image, "QEVM", 4);
  put_integer (image, 3, 4);
  image->config_at = image->size;
  put_integer (image, 0x07, 1);
  put_integer (image, strlen (machine), 4);
  put (image, machine, strlen (machine));
  if (shape->page_bits_and_uuid) {
    put_subsection (image, "configuration/uuid");
    put (image, "0123456789abcdef", 16);
    put_subsection (image, "configuration/target-page-bits");
    put_integer (image, 12, 4);
  }
  put_capabilities (shape, image);
}

static void
put_before_ram (const struct image_shape *shape, struct image *image)
{
  unsigned int i;
  size_t byte;

  for (i = 0; i < shape->commands; i++) {
    put_integer (image, 0x08, 1);
    put_integer (image, i, 2);
    put_integer (image, i % 9, 2);
    put (image, "\1ABCDEFGH", i % 9);
  }
  if (shape->early_bytes == 0)
    return;
  put_integer (image, 0x04, 1);
  for (byte = 1; byte < shape->early_bytes; byte++)
    put_integer (image, byte % 251, 1);
}

static uint64_t
page_bytes (const struct image_block *block)
{
  return block->page_bytes == 0 ? 4096 : block->page_bytes;
}

static uint64_t
used_bytes (const struct image_block *block)
{
  return strlen (block->pages) * page_bytes (block);
}

/* Bytes that no two pages share. */
static void
fill_page (uint8_t *page, uint64_t length, uint64_t seed)
{
  uint64_t i;

  for (i = 0; i < length; i += 8)
    put_le64 (page + i, (seed + 1) * UINT64_C (0x9e3779b97f4a7c15) + i);
}

static void
put_page (const struct image_shape *shape, struct image *image, size_t i,
          uint64_t page)
{
  const struct image_block *block = &shape->blocks[i];
  char kind = block->pages[page];
  uint64_t length = page_bytes (block);
  bool bits = !shape->unfinished && !shape->background;

  if (kind == '1' || kind == 's')
    fill_page (image->bytes + image->pages_at[i] + page * length, length,
               i * 1000 + page);
  if (bits && (kind == '1' || kind == 'z'))
    bitmap_set (image->bytes + image->bitmap_at[i], page);
}

static void
put_block (const struct image_shape *shape, struct image *image, size_t i)
{
  const struct image_block *block = &shape->blocks[i];
  size_t pages = strlen (block->pages);
  uint64_t page;

  image->block_at[i] = image->size;
  put_name (image, block->name);
  put_integer (image, used_bytes (block), 8);
  if (shape->ignore_shared)
    put_integer (image, 0x100000, 8);
  image->header_at[i] = image->size;
  put_integer (image, 1, 4);
  put_integer (image, page_bytes (block), 8);
  if (block->ignored) {
    put_integer (image, 0, 8);
    put_integer (image, 0, 8);
    return;
  }
  image->bitmap_at[i] = image->size + 16;
  image->pages_at[i] = align_up (image->bitmap_at[i]
                                 + divide_up (pages, 64) * 8, PAGE_BYTES);
  put_integer (image, image->bitmap_at[i], 8);
  put_integer (image, image->pages_at[i], 8);
  extend (image, image->pages_at[i] + used_bytes (block));
  for (page = 0; page < pages; page++)
    put_page (shape, image, i, page);
}

static void
put_footer (const struct image_shape *shape, struct image *image, uint32_t id)
{
  if (shape->no_footers)
    return;
  put_integer (image, 0x7e, 1);
  put_integer (image, id, 4);
}

static void
put_ram (const struct image_shape *shape, struct image *image)
{
  uint64_t total = 0;
  size_t i;

  for (i = 0; i < shape->block_count; i++)
    total += used_bytes (&shape->blocks[i]);
  image->ram_at = image->size;
  put_integer (image, 0x01, 1);
  put_integer (image, shape->section_id, 4);
  put_name (image, "ram");
  put_integer (image, 0, 4);
  put_integer (image, 4, 4);
  image->total_at = image->size;
  put_integer (image, total | 0x04, 8);
  for (i = 0; i < shape->block_count; i++)
    put_block (shape, image, i);
  image->eos_at = image->size;
  put_integer (image, 0x10, 8);
  put_footer (shape, image, shape->section_id);
  image->ram_end = image->size;
}

static void
put_tail (const struct image_shape *shape, struct image *image)
{
  put_integer (image, 0x03, 1);
  put_integer (image, shape->section_id, 4);
  put_integer (image, 0x10, 8);
  put_footer (shape, image, shape->section_id);
  put_integer (image, 0x04, 1);
  put_integer (image, 5, 4);
  put_name (image, "timer");
  put (image, "\0\0\0\0\0\0\0\2opaque \0\6 bytes", 22);
  put_footer (shape, image, 5);
  image->tail_at = image->size;
  put_integer (image, 0x00, 1);
  if (shape->no_json)
    return;
  put_integer (image, 0x06, 1);
  put_integer (image, strlen (description), 4);
  put (image, description, strlen (description));
}

void
image_build (const struct image_shape *shape, struct image *image)
{
  *image = (struct image) { 0 };
  if (shape->offset > 0) {
    extend (image, shape->offset);
    memset (image->bytes, 'x', shape->offset);
  }
  put_head (shape, image);
  put_before_ram (shape, image);
  put_ram (shape, image);
  if (!shape->unfinished)
    put_tail (shape, image);
}

void
image_free (struct image *image)
{
  free (image->bytes);
  *image = (struct image) { 0 };
}

static int
image_read (void *opaque, uint64_t offset, void *buffer, size_t length,
            struct error *err)
{
  const struct image *image = opaque;

  if (offset > image->size || length > image->size - offset)
    return error_set (err, ERROR_FAILED, 0, "read past the end of the file");
  memcpy (buffer, image->bytes + offset, length);
  return 0;
}

static uint64_t
image_next_data (void *opaque, uint64_t offset)
{
  const struct image *image = opaque;

  while (offset < image->size) {
    uint64_t end = minimum_u64 (align_down (offset, PAGE_BYTES) + PAGE_BYTES,
                                image->size);

    if (!bytes_are_zero (image->bytes + offset, end - offset))
      return offset;
    offset = end;
  }
  return image->size;
}

struct read_at
image_reader (struct image *image, bool holes)
{
  return (struct read_at) {
    .read = image_read,
    .next_data = holes ? image_next_data : NULL,
    .opaque = image,
    .size = image->size,
  };
}
