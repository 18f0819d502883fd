/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image file that is being read: header, footer and index. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "image/image.h"
#include "image/source_layout.h"
#include "util/checksum.h"
#include "util/cleanup.h"

/* The header is looked for in parts of this size. */
#define PART_BYTES (256u << 10)

/* The file header stands at PREFIX_BYTES_MAX at the latest. */
#define HEAD_BYTES_MAX (PREFIX_BYTES_MAX + FILE_HEADER_BYTES)

/* The first bytes of a file, as many as were needed to find the header. */
struct head {
  uint8_t *bytes;
  size_t length;
  size_t room;
  bool ended;                  /* the file has no more */
  int64_t found;               /* offset of the file header, or -1 */
};

static int
grow (struct head *head, struct error *err)
{
  size_t room = head->room + PART_BYTES;
  uint8_t *bytes = realloc (head->bytes, room);

  if (bytes == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot read the header");
  head->bytes = bytes;
  head->room = room;
  return 0;
}

/* Read until the part is full or the stream ends. */
static int
read_stream_part (const struct file *file, struct head *head,
                  struct error *err)
{
  while (head->length < head->room) {
    ssize_t count = file_read_stream (file, head->bytes + head->length,
                                      head->room - head->length, err);

    if (count < 0)
      return -1;
    if (count == 0) {
      head->ended = true;
      return 0;
    }
    head->length += (size_t) count;
  }
  return 0;
}

static int
read_part (const struct file *file, struct head *head, struct error *err)
{
  size_t length;

  if (grow (head, err) < 0)
    return -1;
  if (file->stream)
    return read_stream_part (file, head, err);
  length = (size_t) minimum_u64 (head->room, file->size) - head->length;
  if (file_read_at (file, head->length, head->bytes + head->length, length,
                    err) < 0)
    return -1;
  head->length += length;
  head->ended = head->length == file->size;
  return 0;
}

/* Read the head of FILE until the file header is in it. */
static int
find_header (const struct file *file, struct head *head, struct error *err)
{
  size_t searched = 0;

  head->found = -1;
  while (head->found < 0 && !head->ended && head->length < HEAD_BYTES_MAX) {
    if (read_part (file, head, err) < 0)
      return -1;
    head->found = file_header_find (head->bytes + searched,
                                    head->length - searched, searched);
    if (head->found >= 0)
      head->found += (int64_t) searched;
    else if (head->length >= FILE_HEADER_BYTES)
      searched = head->length - (FILE_HEADER_BYTES - 1);
  }
  return 0;
}

/* No valid header: say what stands there instead. */
static int
explain_missing (const struct file *file, const struct head *head,
                 struct error *err)
{
  const uint8_t *magic = NULL;
  struct file_header header;
  struct marker marker;

  if (marker_find_expanding (head->bytes, head->length, &marker))
    refuse_half_expanded (&marker, err);
  if (head->length >= FILE_HEADER_BYTES)
    magic = memmem (head->bytes, head->length - FILE_HEADER_BYTES + 1,
                    FILE_HEADER_MAGIC, FILE_HEADER_MAGIC_BYTES);
  if (magic != NULL)
    file_header_decode (magic, (uint64_t) (magic - head->bytes), &header,
                        err);
  error_set (err, ERROR_BAD_INPUT, 0, "not an iopress image");
  return error_subject (err, file->name);
}

int
image_recognise (const struct file *file, struct error *err)
{
  struct head head = { 0 };
  int result = find_header (file, &head, err);

  free (head.bytes);
  return result < 0 ? -1 : head.found >= 0;
}

int
image_open (struct file *file, struct image **image_out, struct error *err)
{
  struct image *image = calloc (1, sizeof *image);
  struct head head = { 0 };
  size_t end;

  if (image == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot open the image");
  image->file = file;
  if (find_header (file, &head, err) < 0)
    goto fail;
  image->prefix = head.bytes;
  if (head.found < 0) {
    explain_missing (file, &head, err);
    goto fail;
  }
  if (file_header_decode (head.bytes + head.found, (uint64_t) head.found,
                          &image->header, err) < 0) {
    error_subject (err, file->name);
    goto fail;
  }
  end = (size_t) head.found + FILE_HEADER_BYTES;
  image->ahead = head.bytes + end;
  image->ahead_bytes = head.length - end;
  *image_out = image;
  return 0;

 fail:
  image->prefix = head.bytes;
  image_close (image);
  return -1;
}

void
image_close (struct image *image)
{
  if (image == NULL)
    return;
  free (image->prefix);
  free (image->entries);
  free (image);
}

/* Decode and check all entries. */
static int
take_entries (struct image *image, const uint8_t *bytes, struct error *err)
{
  uint32_t overhead = record_overhead_bytes (image->header.chunk_bytes);
  uint64_t i, digest = 0, pages = 0, payload = 0;

  for (i = 0; i < image->footer.record_count; i++) {
    struct index_entry *entry = &image->entries[i];

    index_entry_decode (bytes + i * INDEX_ENTRY_BYTES, entry);
    if (index_entry_check (entry, i > 0 ? entry - 1 : NULL, &image->header,
                           image->footer.index_offset, err) < 0)
      return -1;
    digest = digest_next (digest, entry->header_checksum);
    pages += entry->page_count;
    payload += entry->record_bytes - overhead;
  }
  if (digest != image->footer.digest || pages != image->footer.page_count ||
      payload != image->footer.payload_bytes)
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "footer: totals do not agree with the index");
  return 0;
}

static int
read_index (struct image *image, struct error *err)
{
  const struct footer *footer = &image->footer;
  CLEANUP_FREE uint8_t *bytes = malloc (footer->index_bytes);
  struct index_header index;

  /* index_bytes is bounded by the file's size and agrees with the count. */
  image->entries = calloc (footer->record_count + 1, sizeof *image->entries);
  if (bytes == NULL || image->entries == NULL)
    return error_set (err, ERROR_FAILED, ENOMEM, "cannot load the index");
  if (file_read_at (image->file, footer->index_offset, bytes,
                    footer->index_bytes, err) < 0 ||
      index_header_decode (bytes, &image->header, &index, err) < 0)
    return -1;
  if (index.entry_count != footer->record_count)
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "index: it has %llu entries, the footer says %llu",
                      (unsigned long long) index.entry_count,
                      (unsigned long long) footer->record_count);
  if (checksum (bytes + INDEX_HEADER_BYTES,
                footer->index_bytes - INDEX_HEADER_BYTES) !=
      index.entries_checksum)
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "index: the checksum of its entries is wrong");
  return take_entries (image, bytes + INDEX_HEADER_BYTES, err);
}

int
image_load_index (struct image *image, struct error *err)
{
  uint64_t start = records_start (&image->header);
  uint8_t bytes[FOOTER_BYTES];
  uint64_t offset;

  image->bytes = image->file->size;
  if (image->bytes < start + INDEX_HEADER_BYTES + FOOTER_BYTES) {
    error_set (err, ERROR_BAD_INPUT, 0,
               "the image is incomplete: it ends before its footer");
    goto fail;
  }
  offset = image->bytes - FOOTER_BYTES;
  if (file_read_at (image->file, offset, bytes, sizeof bytes, err) < 0 ||
      footer_decode (bytes, offset, &image->header, &image->footer, err) < 0)
    goto fail;
  if (image->footer.index_offset < start ||
      image->footer.index_bytes > image->bytes) {
    error_set (err, ERROR_BAD_INPUT, 0, "footer: the index is out of place");
    goto fail;
  }
  if (read_index (image, err) == 0)
    return 0;

 fail:
  error_subject (err, image->file->name);
  return -1;
}

uint64_t
image_find_window (const struct image *image, uint64_t window)
{
  uint64_t low = 0, high = image->footer.record_count;

  while (low < high) {
    uint64_t middle = low + (high - low) / 2;

    if (image->entries[middle].window < window)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}
