/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image file that is being read: header, footer and index. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/content.h"
#include "image/image.h"

/* The header is looked for in parts of this size. */
#define PART_BYTES (256u << 10)

/* The file header stands at PREFIX_BYTES_MAX at the latest. */
#define HEAD_BYTES_MAX (PREFIX_BYTES_MAX + FILE_HEADER_BYTES)

/* The first bytes of a stream, as many as were needed to find the header. */
struct head {
  uint8_t *bytes;
  size_t length;
  size_t room;
  bool ended;                  /* the stream has no more */
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

/* Read the head of the stream FILE until the file header is in it. */
static int
find_header (const struct file *file, struct head *head, struct error *err)
{
  size_t searched = 0;

  head->found = -1;
  while (head->found < 0 && !head->ended && head->length < HEAD_BYTES_MAX) {
    if (grow (head, err) < 0 || read_stream_part (file, head, err) < 0)
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

/* The head of a stream, as a file. */
static int
read_head (void *opaque, uint64_t offset, void *buffer, size_t length,
           struct error *err)
{
  const struct head *head = opaque;

  if (offset > head->length || length > head->length - offset)
    return error_set (err, ERROR_BAD_INPUT, 0, "ends");
  memcpy (buffer, head->bytes + offset, length);
  return 0;
}

/* See that what AT reads is an image, and get its header. */
static int
look (struct image *image, const struct read_at *at, struct error *err)
{
  struct content content;
  int result = content_look (at, CONTENT_SEARCH_USUAL, &content, err);

  if (result == 0)
    result = content_check (&content, CONTENT_AS_IMAGE, err);
  image->header = content.header;
  content_free (&content);
  return result;
}

static int
open_stream (struct image *image, struct error *err)
{
  struct head head = { 0 };
  struct read_at at = { .read = read_head, .opaque = &head };
  int result = find_header (image->file, &head, err);
  size_t end = (size_t) head.found + FILE_HEADER_BYTES;

  image->prefix = head.bytes;
  if (result < 0)
    return -1;
  if (head.found < 0) {
    at.size = head.length;
    return look (image, &at, err);
  }
  image->ahead = head.bytes + end;
  image->ahead_bytes = head.length - end;
  return file_header_decode (head.bytes + head.found, (uint64_t) head.found,
                             &image->header, err);
}

static int
open_seekable (struct image *image, struct error *err)
{
  struct read_at at = read_at_of_file (image->file);
  size_t length;

  if (look (image, &at, err) < 0)
    return -1;
  length = (size_t) image->header.prefix_bytes;
  image->prefix = malloc (length + 1);
  if (image->prefix == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot read the header");
  return file_read_at (image->file, 0, image->prefix, length, err);
}

int
image_open (struct file *file, struct image **image_out, struct error *err)
{
  struct image *image = calloc (1, sizeof *image);
  int result;

  if (image == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot open the image");
  image->file = file;
  result = file->stream ? open_stream (image, err) : open_seekable (image, err);
  if (result == 0) {
    *image_out = image;
    return 0;
  }
  image_close (image);
  return error_subject (err, file->name);
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
  struct read_at at = read_at_of_file (image->file);

  return content_is_finished (&at, &image->header, err);
}
