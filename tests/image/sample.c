/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images for the tests of src/image. */

#include <config.h>

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/sample.h"
#include "io/scratch.h"
#include "util/checksum.h"

/* The codec: runs of equal blocks are one byte each. */
#define BLOCK 64u

#define SOURCE_BYTES ((SAMPLE_WINDOWS - 1) * (uint64_t) SAMPLE_CHUNK + 9000)

struct sample_codec sample_codec;

static struct iopress_codec_context *
codec_open (int level, const char *parameters, size_t chunk_bytes)
{
  (void) parameters;
  (void) chunk_bytes;
  if (atomic_load (&sample_codec.cannot_open))
    return NULL;
  atomic_store (&sample_codec.opened, level);
  atomic_fetch_add (&sample_codec.contexts, 1);
  return malloc (1);
}

static void
codec_close (struct iopress_codec_context *context)
{
  atomic_fetch_sub (&sample_codec.contexts, 1);
  free (context);
}

static size_t
codec_bound (size_t length)
{
  return length + length / BLOCK;
}

static size_t
codec_compress (struct iopress_codec_context *context, const void *from,
                size_t length, void *to, size_t room)
{
  const uint8_t *block = from;
  uint8_t *out = to;
  size_t i;

  (void) context;
  (void) room;
  if (atomic_load (&sample_codec.fails))
    return IOPRESS_CODEC_ERROR;
  for (i = 0; i < length; i += BLOCK, block += BLOCK) {
    bool same = memcmp (block, block + 1, BLOCK - 1) == 0;

    *out++ = same;
    memcpy (out, block, same ? 1 : BLOCK);
    out += same ? 1 : BLOCK;
  }
  return (size_t) (out - (uint8_t *) to);
}

/* The samples' windows have their number, and one, as their last byte. */
static void
take_note (const uint8_t *end)
{
  unsigned int number = end[-1] - 1u;

  if (number >= SAMPLE_WINDOWS)
    return;
  atomic_fetch_add (&sample_codec.decompressed[number], 1);
  while (atomic_load (&sample_codec.held) == number)
    sched_yield ();
}

static size_t
codec_decompress (struct iopress_codec_context *context, const void *from,
                  size_t length, void *to, size_t expected)
{
  const uint8_t *in = from, *end = in + length;
  uint8_t *out = to, *stop = out + expected;

  (void) context;
  for (; out < stop; out += BLOCK) {
    size_t need = in < end && *in == 1 ? 1 : BLOCK;

    if ((size_t) (end - in) < need + 1 || *in > 1)
      return IOPRESS_CODEC_ERROR;
    if (need == 1)
      memset (out, in[1], BLOCK);
    else
      memcpy (out, in + 1, BLOCK);
    in += need + 1;
  }
  take_note (stop);
  if (atomic_load (&sample_codec.lies))
    stop[-1] ^= 1;
  return in == end ? expected : IOPRESS_CODEC_ERROR;
}

static const char *
codec_error (struct iopress_codec_context *context)
{
  (void) context;
  return "it was told to fail";
}

const struct codec sample_codec_loaded = {
  .ops = {
    .name = "sample",
    .open = codec_open,
    .close = codec_close,
    .bound = codec_bound,
    .compress = codec_compress,
    .decompress = codec_decompress,
    .error_text = codec_error,
  },
};

void
sample_codec_reset (void)
{
  unsigned int i;

  atomic_store (&sample_codec.fails, false);
  atomic_store (&sample_codec.lies, false);
  atomic_store (&sample_codec.cannot_open, false);
  atomic_store (&sample_codec.held, SAMPLE_HELD_NONE);
  for (i = 0; i < SAMPLE_WINDOWS; i++)
    atomic_store (&sample_codec.decompressed[i], 0);
}

struct file_header
sample_header (uint64_t source_bytes)
{
  return (struct file_header) {
    .major = FORMAT_MAJOR,
    .minor = FORMAT_MINOR,
    .image_id = "sample-image-id",
    .prefix_bytes = SAMPLE_PREFIX,
    .source_bytes = source_bytes,
    .chunk_bytes = SAMPLE_CHUNK,
    .codec = "sample",
    .level = 3,
  };
}

bool
sample_has_window (uint64_t window)
{
  return window % 4 != 3;
}

/* Of a window one in four is empty, one in four has every third page only, and
 * one is as random as to be stored.
 */
uint8_t
sample_byte (uint64_t offset)
{
  uint64_t window = offset / SAMPLE_CHUNK;
  uint64_t page = offset / PAGE_BYTES % SAMPLE_PAGES;

  if (!sample_has_window (window) || (window % 4 == 1 && page % 3 != 0))
    return 0;
  if (window % 4 == 2)
    return pattern_byte (offset);
  if ((offset + 1) % PAGE_BYTES == 0)
    return (uint8_t) (window + 1);
  return (uint8_t) (offset / 512 % 7 + 100);
}

void
sample_fill (uint64_t offset, uint8_t *buffer, size_t length)
{
  size_t i;

  for (i = 0; i < length; i++)
    buffer[i] = sample_byte (offset + i);
}

void
sample_check (uint64_t offset, const uint8_t *buffer, size_t length)
{
  size_t i;

  for (i = 0; i < length; i++)
    if (buffer[i] != sample_byte (offset + i))
      fail_msg ("byte %llu is %u, not %u",
                (unsigned long long) (offset + i), buffer[i],
                sample_byte (offset + i));
}

void
sample_window (uint64_t number, const struct file_header *header,
               uint8_t *pages, struct window *window)
{
  uint64_t start = number * header->chunk_bytes;
  uint64_t length = minimum_u64 (header->chunk_bytes,
                                 header->source_bytes - start);
  uint32_t i, count = window_pages (number, header->source_bytes,
                                    header->chunk_bytes);

  *window = (struct window) { .number = number, .pages = pages };
  memset (pages, 0, header->chunk_bytes);
  sample_fill (start, pages, (size_t) length);
  for (i = 0; i < count; i++)
    bitmap_set (window->map, i);
}

static void
append (int fd, const void *bytes, size_t length)
{
  assert_int_equal (write (fd, bytes, length), (ssize_t) length);
}

/* Returns where they end; their entries go to ENTRIES. */
static uint64_t
append_records (int fd, const struct file_header *header, uint64_t offset,
                struct footer *footer, uint8_t *entries)
{
  const struct encoding encoding = {
    .header = header,
    .codec = &sample_codec_loaded,
    .verify = true,
  };
  struct encoder *encoder = NULL;
  struct error err = { 0 };
  uint8_t *record = malloc (encoding_room (&encoding));
  uint8_t *pages = malloc (SAMPLE_CHUNK);
  uint64_t number;

  assert_int_equal (encoder_open (&encoding, &encoder, &err), 0);
  for (number = 0; number < SAMPLE_WINDOWS; number++) {
    struct window window;
    struct index_entry entry;

    sample_window (number, header, pages, &window);
    window_gather (&window, header);
    assert_int_equal (encode_window (encoder, &window, record, &err), 0);
    assert_int_equal (window.record_bytes > 0, sample_has_window (number));
    if (window.record_bytes == 0)
      continue;
    append (fd, record, window.record_bytes);
    entry = index_entry_of (&window.header, offset);
    offset += entry.record_bytes;
    index_entry_encode (&entry, entries +
                        footer->record_count * INDEX_ENTRY_BYTES);
    footer_count (footer, &entry, SAMPLE_CHUNK);
  }
  encoder_close (encoder);
  free (record);
  free (pages);
  return offset;
}

static void
write_image (int fd)
{
  static uint8_t head[2 * PAGE_BYTES], entries[SAMPLE_WINDOWS *
                                               INDEX_ENTRY_BYTES];
  struct file_header header = sample_header (SOURCE_BYTES);
  struct index_header index = { .entry_count = 0 };
  struct footer footer = { .digest = 0 };
  uint8_t bytes[FOOTER_BYTES];
  size_t length;

  sample_fill (0, head, SAMPLE_PREFIX);
  file_header_encode (&header, head + SAMPLE_PREFIX);
  append (fd, head, records_start (&header));
  footer.index_offset = append_records (fd, &header, records_start (&header),
                                        &footer, entries);
  length = footer.record_count * INDEX_ENTRY_BYTES;
  memcpy (footer.image_id, header.image_id, IMAGE_ID_BYTES);
  footer.index_bytes = INDEX_HEADER_BYTES + length;
  memcpy (index.image_id, header.image_id, IMAGE_ID_BYTES);
  index.entry_count = footer.record_count;
  index.entries_checksum = checksum (entries, length);
  index_header_encode (&index, bytes);
  append (fd, bytes, INDEX_HEADER_BYTES);
  append (fd, entries, length);
  footer_encode (&footer, footer.index_offset + footer.index_bytes, bytes);
  append (fd, bytes, FOOTER_BYTES);
}

void
sample_open (struct sample *sample, enum direct_io direct)
{
  const char *path = scratch_path ("image");
  int fd = open (path, O_CREAT | O_WRONLY, 0600);
  struct error err = { 0 };

  sample_codec_reset ();
  assert_true (fd >= 0);
  write_image (fd);
  assert_int_equal (close (fd), 0);
  *sample = (struct sample) { .file = FILE_CLOSED };
  scratch_open (path, direct, &sample->file);
  assert_int_equal (image_open (&sample->file, &sample->image, &err), 0);
  assert_int_equal (image_load_index (sample->image, &err), 0);
  sample->decoding = (struct decoding) {
    .header = &sample->image->header,
    .codec = &sample_codec_loaded,
    .name = sample->file.name,
  };
  sample_codec_reset ();
}

void
sample_close (struct sample *sample)
{
  image_close (sample->image);
  scratch_close (&sample->file);
  assert_int_equal (atomic_load (&sample_codec.contexts), 0);
}

void
sample_damage (const struct sample *sample, uint64_t entry, size_t at)
{
  off_t offset = (off_t) (sample->image->entries[entry].offset + at);
  int fd = open (sample->file.name, O_RDWR);
  uint8_t byte;

  assert_true (at < sample->image->entries[entry].record_bytes);
  assert_int_equal (pread (fd, &byte, 1, offset), 1);
  byte ^= 0x40;
  assert_int_equal (pwrite (fd, &byte, 1, offset), 1);
  assert_int_equal (close (fd), 0);
}

uint64_t
sample_entry (const struct sample *sample, uint64_t window)
{
  uint64_t entry = image_find_window (sample->image, window);

  assert_true (sample_has_window (window));
  return entry;
}
