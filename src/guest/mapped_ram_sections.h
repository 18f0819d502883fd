/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of a mapped-ram stream, each read by a file of its own. */

#ifndef IOPRESS_GUEST_MAPPED_RAM_SECTIONS_H
#define IOPRESS_GUEST_MAPPED_RAM_SECTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/mapped_ram_stream.h"

/* What a section begins with (QEMU migration/savevm.h, QEMU_VM_*). */
enum section_type {
  SECTION_EOF = 0x00,
  SECTION_START = 0x01,
  SECTION_END = 0x03,
  SECTION_FULL = 0x04,
  SECTION_SUBSECTION = 0x05,
  SECTION_DESCRIPTION = 0x06,
  SECTION_CONFIGURATION = 0x07,
  SECTION_COMMAND = 0x08,
  SECTION_FOOTER = 0x7e,
};

/* Of the smallest pages of any target, AVR's (QEMU TARGET_PAGE_BITS). */
#define GUEST_PAGE_BYTES_MIN 256u

/* The bits of a be64 of the RAM section below a page of the guest (QEMU
 * migration/ram.c), whose size is not known before the first block.
 */
#define RAM_FLAG_MEM_SIZE 0x04u
#define RAM_FLAG_EOS 0x10u
#define RAM_FLAGS_MASK (GUEST_PAGE_BYTES_MIN - 1)

#define STREAM_MAGIC "QEVM"
#define STREAM_VERSION 3u

/* What the CONFIG section says. */
struct stream_config {
  char machine[256];
  bool mapped_ram;
  bool ignore_shared;
};

/* Read a CONFIG section whose type byte is already read.  Returns 0, or -1
 * with the stream's err; CONFIG then holds what came before the fault.
 */
int config_read (struct stream *stream, struct stream_config *config);

/* Pass over what stands before the RAM section and read that section's
 * head.  Returns 0 and *SECTION_ID with the position at the section's first
 * be64, or -1 with the stream's err.
 */
int ram_section_find (struct stream *stream, uint32_t *section_id);

/* Read the RAM blocks from the position on, with their bitmaps, into RAM
 * (whose ignore_shared must be set).  Returns 0 with the position past the
 * last block, or -1 with the stream's err; RAM owns what was read so far.
 */
int ram_blocks_read (struct stream *stream, struct mapped_ram *ram);

/* How many bytes the bitmap of PAGES pages takes in the file: whole longs of
 * a 64-bit host (QEMU BITS_TO_LONGS).
 */
uint64_t ram_bitmap_bytes (uint64_t pages);

/* Allocate and read the bitmap of BLOCK, whose place is already checked.
 * Sets bitmap and present_count.  Returns 0, or -1 with the stream's err
 * (ERROR_FAILED when there is no memory).
 */
int ram_bitmap_read (struct stream *stream, struct ram_block *block);

/* Free what BLOCK points to. */
void ram_block_free (struct ram_block *block);

#endif /* IOPRESS_GUEST_MAPPED_RAM_SECTIONS_H */
