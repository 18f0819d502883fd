/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image file that is being read: header, footer and index. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "image/image.h"
#include "image/source_layout.h"

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
  return error_about (err, ERROR_BAD_INPUT, 0, file->name,
                      "not an iopress image");
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

int
image_is_finished (const struct image *image, struct error *err)
{
  struct error unfinished = { 0 };
  uint64_t size = image->file->size;
  uint8_t bytes[FOOTER_BYTES];
  struct footer footer;

  if (size < records_start (&image->header) + FOOTER_BYTES)
    return 0;
  if (file_read_at (image->file, size - FOOTER_BYTES, bytes, sizeof bytes,
                    err) < 0)
    return -1;
  return footer_decode (bytes, size - FOOTER_BYTES, &image->header, &footer,
                        &unfinished) == 0;
}
