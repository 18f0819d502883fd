/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small mapped-ram files in memory, for the tests of src/guest. */

#ifndef IOPRESS_TESTS_MAPPED_RAM_IMAGE_H
#define IOPRESS_TESTS_MAPPED_RAM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/mapped_ram.h"

#define IMAGE_MAX_BLOCKS 128

/* One RAM block to write. */
struct image_block {
  const char *name;
  uint64_t page_bytes;         /* 0: 4096 */
  bool ignored;
  /* A character a page: '1' present, '0' absent, 's' absent with stale
   * bytes, 'z' present and zero.
   */
  const char *pages;
};

/* A file to write.  Zero-initialised: the plainest complete one. */
struct image_shape {
  uint64_t offset;             /* of the stream */
  const char *machine;         /* NULL: "pc" */
  bool no_capability;          /* mapped-ram is not announced */
  bool ignore_shared;
  bool page_bits_and_uuid;     /* these subsections before capabilities */
  unsigned int commands;
  size_t early_bytes;          /* of a FULL section before RAM */
  uint32_t section_id;
  bool no_footers;
  bool no_json;
  bool unfinished;             /* bitmaps clear, nothing after RAM's start */
  bool background;             /* bitmaps clear, the rest complete */
  size_t block_count;
  struct image_block blocks[IMAGE_MAX_BLOCKS];
};

/* What was written, and where.  Free bytes. */
struct image {
  uint8_t *bytes;
  size_t size, room;
  size_t config_at;            /* type byte of CONFIG */
  size_t capability_at;        /* type byte of that subsection */
  size_t ram_at;               /* type byte of the RAM section */
  size_t total_at;
  size_t block_at[IMAGE_MAX_BLOCKS];   /* name's length byte */
  size_t header_at[IMAGE_MAX_BLOCKS];  /* version, page size, offsets */
  size_t bitmap_at[IMAGE_MAX_BLOCKS];
  size_t pages_at[IMAGE_MAX_BLOCKS];
  size_t eos_at;
  size_t ram_end;
  size_t tail_at;              /* the EOF byte */
};

void image_build (const struct image_shape *shape, struct image *image);
void image_free (struct image *image);

/* A read_at over IMAGE as it is now; next_data passes over zero 4 KiB when
 * HOLES.  IMAGE must stay.
 */
struct read_at image_reader (struct image *image, bool holes);

#endif /* IOPRESS_TESTS_MAPPED_RAM_IMAGE_H */
