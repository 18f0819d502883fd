/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way from the CONFIG section to the RAM section (QEMU
 * migration/savevm.c, qemu_savevm_state_setup).
 */

#include <config.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "guest/mapped_ram_sections.h"
#include "util/bytes.h"
#include "util/cleanup.h"

#define RAM_SECTION_VERSION 4u
#define MAX_COMMANDS 4096

/* How far the RAM section may lie behind sections of unknown length. */
#define SCAN_LIMIT_BYTES (UINT64_C (16) << 20)
#define SCAN_PIECE_BYTES (64u << 10)

/* Type, section id, name "ram" with its length, instance, version. */
#define RAM_HEAD_BYTES 17u

static int
skip_command (struct stream *stream)
{
  uint16_t command, length;

  if (stream_skip (stream, 1, "a command") < 0 ||
      stream_be16 (stream, &command, "a command") < 0 ||
      stream_be16 (stream, &length, "a command") < 0)
    return -1;
  return stream_skip (stream, length, "a command");
}

static int
skip_commands (struct stream *stream)
{
  int i;

  for (i = 0; i <= MAX_COMMANDS; i++) {
    uint8_t type;

    if (stream_peek (stream, &type, "the section before RAM") < 0)
      return -1;
    if (type != SECTION_COMMAND)
      return 0;
    if (skip_command (stream) < 0)
      return -1;
  }
  return stream_fail (stream, "more than %d commands before the RAM section",
                      MAX_COMMANDS);
}

/* The RAM section's head, whatever its section id. */
static bool
is_ram_head (const uint8_t *bytes)
{
  static const uint8_t name_and_instance[] = {
    3, 'r', 'a', 'm', 0, 0, 0, 0,
  };

  return bytes[0] == SECTION_START &&
    memcmp (bytes + 5, name_and_instance, sizeof name_and_instance) == 0;
}

/* Devices that must be restored first have sections before RAM (virtio-mem).
 * Such a section has no length, so look for the RAM section behind it.
 */
static int
scan_for_ram (struct stream *stream)
{
  CLEANUP_FREE uint8_t *piece = malloc (SCAN_PIECE_BYTES);
  uint64_t start = stream->position;
  uint64_t end = start + minimum_u64 (stream_left (stream), SCAN_LIMIT_BYTES);

  if (piece == NULL)
    return error_set (stream->err, ERROR_FAILED, 0, "out of memory");
  while (end - stream->position >= RAM_HEAD_BYTES) {
    uint64_t at = stream->position;
    size_t length = (size_t) minimum_u64 (end - at, SCAN_PIECE_BYTES);
    size_t i;

    if (stream_bytes (stream, piece, length, "the sections before RAM") < 0)
      return -1;
    for (i = 0; i + RAM_HEAD_BYTES <= length; i++) {
      if (is_ram_head (piece + i)) {
        stream->position = at + i;
        return 0;
      }
    }
    stream->position = at + i;
  }
  return stream_fail (stream, "no RAM section after byte %" PRIu64, start);
}

static int
read_ram_head (struct stream *stream, uint32_t *section_id)
{
  uint64_t start = stream->position;
  uint8_t head[RAM_HEAD_BYTES];
  uint32_t version;

  if (stream_bytes (stream, head, sizeof head, "the RAM section") < 0)
    return -1;
  *section_id = get_be32 (head + 1);
  version = get_be32 (head + 13);
  if (version != RAM_SECTION_VERSION)
    return stream_fail (stream, "RAM section at byte %" PRIu64
                        " has version %" PRIu32 ", only %u is known", start,
                        version, RAM_SECTION_VERSION);
  return 0;
}

static int
goto_ram_head (struct stream *stream)
{
  uint64_t start = stream->position;
  uint8_t head[RAM_HEAD_BYTES];

  if (stream_peek (stream, head, "the RAM section") < 0)
    return -1;
  if (head[0] != SECTION_START && head[0] != SECTION_FULL)
    return stream_fail (stream, "no RAM section: byte 0x%02x at byte %" PRIu64
                        " begins no section that can stand before RAM",
                        head[0], start);
  if (stream_bytes (stream, head, sizeof head, "the RAM section") < 0)
    return -1;
  stream->position = start;
  return is_ram_head (head) ? 0 : scan_for_ram (stream);
}

int
ram_section_find (struct stream *stream, uint32_t *section_id)
{
  if (skip_commands (stream) < 0 ||
      goto_ram_head (stream) < 0)
    return -1;
  return read_ram_head (stream, section_id);
}
