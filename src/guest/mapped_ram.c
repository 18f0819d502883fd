/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QEMU's mapped-ram stream: recognise it and parse it from magic to the end
 * of the RAM section.
 */

#include <config.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "guest/mapped_ram_sections.h"
#include "util/bytes.h"

#define STREAM_HEAD_BYTES 8u

/* How far to look for the capability when CONFIG cannot be understood. */
#define CONFIG_SCAN_BYTES 4096u

/* The capability with its length byte, as CONFIG holds it. */
#define CAPABILITY "\nmapped-ram"

/* CONFIG is faulty or of a newer QEMU.  Taking the stream for a plain one
 * could pass an unfinished save as complete, so it counts as mapped-ram when
 * the capability's name is there or the file is cut; parsing says the rest.
 */
static int
probe_unknown_config (struct stream *stream, enum stream_kind *kind)
{
  uint8_t bytes[CONFIG_SCAN_BYTES];

  if (stream_left (stream) < sizeof bytes) {
    *kind = STREAM_MAPPED_RAM;
    return 0;
  }
  if (stream_bytes (stream, bytes, sizeof bytes, "CONFIG") < 0)
    return -1;
  *kind = memmem (bytes, sizeof bytes, CAPABILITY, strlen (CAPABILITY))
    ? STREAM_MAPPED_RAM : STREAM_PLAIN;
  return 0;
}

static int
probe_config (struct stream *stream, enum stream_kind *kind)
{
  struct stream_config config = { 0 };
  struct error fault = { 0 };
  struct stream trial = *stream;

  trial.err = &fault;
  if (config_read (&trial, &config) == 0) {
    *kind = config.mapped_ram ? STREAM_MAPPED_RAM : STREAM_PLAIN;
    return 0;
  }
  if (fault.kind == ERROR_BAD_INPUT)
    return probe_unknown_config (stream, kind);
  *stream->err = fault;
  return -1;
}

int
mapped_ram_probe (const struct read_at *file, uint64_t offset,
                  enum stream_kind *kind, struct error *err)
{
  struct stream stream = { .file = file, .position = offset, .err = err };
  uint8_t head[STREAM_HEAD_BYTES + 1] = { 0 };
  size_t length = (size_t) minimum_u64 (stream_left (&stream), sizeof head);

  *kind = STREAM_NONE;
  if (length < STREAM_HEAD_BYTES)
    return 0;
  if (stream_bytes (&stream, head, length, "the stream's head") < 0)
    return -1;
  if (memcmp (head, STREAM_MAGIC, 4) != 0)
    return 0;
  *kind = STREAM_PLAIN;
  if (get_be32 (head + 4) != STREAM_VERSION)
    return 0;
  if (length == sizeof head && head[8] != SECTION_CONFIGURATION)
    return 0;
  return probe_config (&stream, kind);
}

static int
read_head (struct stream *stream)
{
  uint64_t start = stream->position;
  uint8_t head[STREAM_HEAD_BYTES];
  uint8_t type;

  if (stream_bytes (stream, head, sizeof head, "the stream's head") < 0)
    return -1;
  if (memcmp (head, STREAM_MAGIC, 4) != 0)
    return stream_fail (stream, "no QEMU stream at byte %" PRIu64, start);
  if (get_be32 (head + 4) != STREAM_VERSION)
    return stream_fail (stream, "QEMU stream at byte %" PRIu64
                        " has version %" PRIu32 ", only %u is known", start,
                        get_be32 (head + 4), STREAM_VERSION);
  if (stream_u8 (stream, &type, "the stream's head") < 0)
    return -1;
  if (type != SECTION_CONFIGURATION)
    return stream_fail (stream, "QEMU stream at byte %" PRIu64
                        " has no CONFIG section, so no mapped-ram", start);
  return 0;
}

static int
read_config (struct stream *stream, struct mapped_ram *ram)
{
  struct stream_config config = { 0 };

  if (config_read (stream, &config) < 0)
    return -1;
  if (!config.mapped_ram)
    return stream_fail (stream, "QEMU stream at byte %" PRIu64
                        " does not use mapped-ram", ram->stream_offset);
  memcpy (ram->machine, config.machine, sizeof ram->machine);
  ram->ignore_shared = config.ignore_shared;
  return 0;
}

static int
read_footer (struct stream *stream, struct mapped_ram *ram,
             uint32_t section_id)
{
  uint64_t start = stream->position;
  uint8_t footer[5];

  if (stream_left (stream) < sizeof footer)
    return 0;
  if (stream_bytes (stream, footer, sizeof footer, "a section footer") < 0)
    return -1;
  if (footer[0] != SECTION_FOOTER) {
    stream->position = start;
    return 0;
  }
  if (get_be32 (footer + 1) != section_id)
    return stream_fail (stream, "footer at byte %" PRIu64 " names section %"
                        PRIu32 ", but the RAM section is %" PRIu32, start,
                        get_be32 (footer + 1), section_id);
  ram->has_footers = true;
  return 0;
}

static int
read_ram_section (struct stream *stream, struct mapped_ram *ram)
{
  uint32_t section_id;
  uint64_t flags;

  if (ram_section_find (stream, &section_id) < 0 ||
      ram_blocks_read (stream, ram) < 0 ||
      stream_be64 (stream, &flags, "the end of the RAM section") < 0)
    return -1;
  if (flags != RAM_FLAG_EOS)
    return stream_fail (stream, "RAM section does not end at byte %" PRIu64,
                        stream->position - sizeof flags);
  if (read_footer (stream, ram, section_id) < 0)
    return -1;
  ram->ram_end = stream->position;
  return 0;
}

/* Parse as far as it goes.  Returns what was read, or NULL when there was no
 * memory; ERR says whether it is all.
 */
static struct mapped_ram *
parse (const struct read_at *file, uint64_t offset, struct error *err)
{
  struct stream stream = { .file = file, .position = offset, .err = err };
  struct mapped_ram *ram = calloc (1, sizeof *ram);

  if (ram == NULL) {
    error_set (err, ERROR_FAILED, 0, "out of memory");
    return NULL;
  }
  ram->stream_offset = offset;
  if (file->size > INT64_MAX)
    stream_fail (&stream, "no file has %" PRIu64 " bytes", file->size);
  else if (read_head (&stream) == 0 && read_config (&stream, ram) == 0)
    read_ram_section (&stream, ram);
  return ram;
}

int
mapped_ram_parse (const struct read_at *file, uint64_t offset,
                  struct mapped_ram **ram, struct error *err)
{
  *ram = parse (file, offset, err);
  if (err->kind == ERROR_NONE)
    return 0;
  mapped_ram_free (*ram);
  *ram = NULL;
  return -1;
}

struct mapped_ram *
mapped_ram_parse_partly (const struct read_at *file, uint64_t offset)
{
  struct error rest = { 0 };
  struct mapped_ram *ram = parse (file, offset, &rest);

  if (ram != NULL && ram->block_count > 0)
    return ram;
  mapped_ram_free (ram);
  return NULL;
}

void
mapped_ram_free (struct mapped_ram *ram)
{
  size_t i;

  if (ram == NULL)
    return;
  for (i = 0; i < ram->block_count; i++)
    ram_block_free (&ram->blocks[i]);
  free (ram->blocks);
  free (ram);
}
