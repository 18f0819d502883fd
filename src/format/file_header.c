/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file header: bytes to struct and back. */

#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "format/file_header.h"
#include "format/part.h"
#include "util/checksum.h"
#include "util/name.h"

#define PART "file header"

/* Offsets of the fields. */
enum {
  MAJOR = 8,
  MINOR = 10,
  HEADER_LENGTH = 12,
  IMAGE_ID = 16,
  PREFIX = 32,
  SOURCE = 40,
  CHUNK = 48,
  KIND = 52,
  INCOMPATIBLE = 56,
  COMPATIBLE = 64,
  CODEC = 72,
  LEVEL = 88,
  RESERVED_SHORT = 92,
  PARAMETERS = 96,
  RESERVED_LONG = 160,
  CHECKSUM = 248,
};

/* Feature bits that change what a reader must do. */
#define INCOMPATIBLE_KNOWN FEATURE_UNORDERED

void
file_header_encode (const struct file_header *header,
                    uint8_t bytes[FILE_HEADER_BYTES])
{
  memset (bytes, 0, FILE_HEADER_BYTES);
  memcpy (bytes, FILE_HEADER_MAGIC, FILE_HEADER_MAGIC_BYTES);
  put_le16 (bytes + MAJOR, header->major);
  put_le16 (bytes + MINOR, header->minor);
  put_le32 (bytes + HEADER_LENGTH, FILE_HEADER_BYTES);
  memcpy (bytes + IMAGE_ID, header->image_id, IMAGE_ID_BYTES);
  put_le64 (bytes + PREFIX, header->prefix_bytes);
  put_le64 (bytes + SOURCE, header->source_bytes);
  put_le32 (bytes + CHUNK, header->chunk_bytes);
  put_le32 (bytes + KIND, header->kind);
  put_le64 (bytes + INCOMPATIBLE, header->incompatible);
  put_le64 (bytes + COMPATIBLE, header->compatible);
  memcpy (bytes + CODEC, header->codec,
          strnlen (header->codec, CODEC_NAME_BYTES));
  put_le32 (bytes + LEVEL, (uint32_t) header->level);
  memcpy (bytes + PARAMETERS, header->parameters,
          strnlen (header->parameters, CODEC_PARAMETERS_BYTES));
  part_seal (bytes, CHECKSUM);
}

static void
read_fields (const uint8_t *bytes, struct file_header *header)
{
  header->major = get_le16 (bytes + MAJOR);
  header->minor = get_le16 (bytes + MINOR);
  memcpy (header->image_id, bytes + IMAGE_ID, IMAGE_ID_BYTES);
  header->prefix_bytes = get_le64 (bytes + PREFIX);
  header->source_bytes = get_le64 (bytes + SOURCE);
  header->chunk_bytes = get_le32 (bytes + CHUNK);
  header->kind = get_le32 (bytes + KIND);
  header->incompatible = get_le64 (bytes + INCOMPATIBLE);
  header->compatible = get_le64 (bytes + COMPATIBLE);
  memcpy (header->codec, bytes + CODEC, CODEC_NAME_BYTES);
  header->level = (int32_t) get_le32 (bytes + LEVEL);
  memcpy (header->parameters, bytes + PARAMETERS, CODEC_PARAMETERS_BYTES);
}

static int
check_version (const uint8_t *bytes, const struct file_header *header,
               struct error *err)
{
  uint32_t length = get_le32 (bytes + HEADER_LENGTH);
  uint64_t unknown = header->incompatible & ~INCOMPATIBLE_KNOWN;

  if (header->major != FORMAT_MAJOR)
    return part_refuse (err, PART ": format version %u.%u is not supported, "
                        "only %d.x", header->major, header->minor,
                        FORMAT_MAJOR);
  if (unknown != 0)
    return part_refuse (err, PART ": unknown incompatible features 0x%"
                        PRIx64, unknown);
  if (length != FILE_HEADER_BYTES)
    return part_refuse (err, PART ": length is %" PRIu32 ", expected %d",
                        length, FILE_HEADER_BYTES);
  /* A later minor version may have put something here. */
  if (header->minor == 0 &&
      (get_le32 (bytes + RESERVED_SHORT) != 0 ||
       !bytes_are_zero (bytes + RESERVED_LONG, CHECKSUM - RESERVED_LONG)))
    return part_refuse (err, PART ": reserved bytes are not zero");
  return 0;
}

static int
check_sizes (const struct file_header *header, uint64_t offset,
             struct error *err)
{
  if (header->prefix_bytes != offset)
    return part_refuse (err, PART ": prefix length is %" PRIu64
                        ", but the header is at offset %" PRIu64,
                        header->prefix_bytes, offset);
  if (header->prefix_bytes > PREFIX_BYTES_MAX)
    return part_refuse (err, PART ": prefix length %" PRIu64
                        " is above %u", header->prefix_bytes,
                        PREFIX_BYTES_MAX);
  if (header->source_bytes > INT64_MAX)
    return part_refuse (err, PART ": source size %" PRIu64
                        " is too large", header->source_bytes);
  if (header->source_bytes < header->prefix_bytes)
    return part_refuse (err, PART ": source size %" PRIu64
                        " is below the prefix length %" PRIu64,
                        header->source_bytes, header->prefix_bytes);
  if (!chunk_bytes_valid (header->chunk_bytes))
    return part_refuse (err, PART ": chunk size %" PRIu32
                        " is not a power of two from %u to %u",
                        header->chunk_bytes, CHUNK_BYTES_MIN,
                        CHUNK_BYTES_MAX);
  return 0;
}

/* Whether FIELD is text that ends with a NUL and holds only NULs after it. */
static bool
text_terminated (const char *field, size_t size)
{
  size_t length = strnlen (field, size);

  return length < size && bytes_are_zero (field + length, size - length);
}

static bool
text_printable (const char *text)
{
  while (*text >= ' ' && *text <= '~')
    text++;
  return *text == '\0';
}

static int
check_content (const struct file_header *header, struct error *err)
{
  if (header->kind != IMAGE_RAW && header->kind != IMAGE_MAPPED_RAM)
    return part_refuse (err, PART ": unknown kind of source %" PRIu32,
                        header->kind);
  if (!text_terminated (header->codec, CODEC_NAME_BYTES) ||
      !codec_name_valid (header->codec))
    return part_refuse (err, PART ": codec name is not 1 to %d characters "
                        "of a-z, 0-9 and '-'", CODEC_NAME_BYTES - 1);
  if (!text_terminated (header->parameters, CODEC_PARAMETERS_BYTES) ||
      !text_printable (header->parameters))
    return part_refuse (err, PART ": codec parameters are not up to %d "
                        "printable characters", CODEC_PARAMETERS_BYTES - 1);
  return 0;
}

int
file_header_decode (const uint8_t bytes[FILE_HEADER_BYTES], uint64_t offset,
                    struct file_header *header, struct error *err)
{
  if (part_check (PART, FILE_HEADER_MAGIC, bytes, CHECKSUM, err) < 0)
    return -1;
  read_fields (bytes, header);
  if (check_version (bytes, header, err) < 0 ||
      check_sizes (header, offset, err) < 0 ||
      check_content (header, err) < 0)
    return -1;
  return 0;
}

/* The cheap test first: BYTES may be full of magics. */
static bool
stands_at (const uint8_t *bytes, uint64_t offset)
{
  return get_le64 (bytes + PREFIX) == offset &&
    get_le64 (bytes + CHECKSUM) == checksum (bytes, CHECKSUM);
}

int64_t
file_header_find (const uint8_t *bytes, size_t length, uint64_t base)
{
  size_t at = 0;

  while (length - at >= FILE_HEADER_BYTES) {
    const uint8_t *hit = memmem (bytes + at, length - at, FILE_HEADER_MAGIC,
                                 FILE_HEADER_MAGIC_BYTES);

    if (hit == NULL)
      return -1;
    at = (size_t) (hit - bytes);
    if (length - at < FILE_HEADER_BYTES)
      return -1;
    if (stands_at (hit, base + at))
      return (int64_t) at;
    at++;
  }
  return -1;
}
