/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image of the store, read as its source. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "image/content.h"
#include "mount/shown.h"
#include "mount/store.h"

/* Open the file behind FD for reading, under the name that it has in the store.
 */
static int
open_below (int fd, struct file *file, struct error *err)
{
  char path[NODE_PATH_BYTES];

  if (file_open (descriptor_path (fd, path), FILE_READ,
                 FILE_HOW (DIRECT_IO_OFF), file, err) < 0) return -1;
  descriptor_name (fd, file->name, sizeof file->name);
  return 0;
}

/* How an image whose file is open is shown, damaged or not.  Returns 0, or -1
 * with ERR.
 */
static int
look_at_image (struct file *file, const struct content *content,
               enum shown *shown, struct error *err)
{
  struct image image = { .file = file, .header = content->header };
  struct error why = { 0 };
  int result = image_load_index (&image, &why);

  free (image.entries);
  *shown = result == 0 ? SHOWN_IMAGE : SHOWN_UNFINISHED;
  if (!error_lacks_memory (&why))
    return 0;
  *err = why;
  return -1;
}

int
shown_look (int fd, enum shown *shown, uint64_t *source_bytes, bool *half,
            struct error *err)
{
  struct error ignored = { 0 };
  struct content content;
  struct file file;
  struct read_at at;
  int result = open_below (fd, &file, err);

  if (result == 0) {
    at = read_at_of_file (&file);
    result = content_look (&at, CONTENT_SEARCH_USUAL, &content, err);
    content_free (&content);
  }
  if (result == 0) {
    *shown = SHOWN_PLAIN;
    *source_bytes = content.header.source_bytes;
    *half = content_is_half (&content);
    if (content_is_image (&content))
      result = look_at_image (&file, &content, shown, err);
  }
  file_close (&file, &ignored);
  return result;
}

int
shown_open (const struct mounting *mounting, int fd,
            struct shown_image **shown_out, struct error *err)
{
  struct shown_image *shown = calloc (1, sizeof *shown);

  if (shown == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot open an image");
  if (open_below (fd, &shown->file, err) < 0 ||
      image_open (&shown->file, &shown->image, err) < 0 ||
      image_load_index (shown->image, err) < 0 ||
      codecs_find (mounting->codecs, shown->image->header.codec,
                   &shown->decoding.codec, err) < 0) {
    error_subject (err, shown->file.name);
    shown_close (mounting, shown);
    return -1;
  }
  shown->decoding.header = &shown->image->header;
  shown->decoding.name = shown->file.name;
  *shown_out = shown;
  return 0;
}

void
shown_close (const struct mounting *mounting, struct shown_image *shown)
{
  struct error ignored = { 0 };

  if (shown == NULL)
    return;
  views_drop (mounting->views, shown);
  image_close (shown->image);
  file_close (&shown->file, &ignored);
  free (shown);
}

int
shown_read (const struct mounting *mounting, struct shown_image *shown,
            uint64_t offset, void *buffer, size_t length, struct error *err)
{
  uint64_t prefix_bytes = shown->image->header.prefix_bytes;
  uint8_t *to = buffer;

  /* The prefix may have been written to since the image was opened. */
  if (offset < prefix_bytes) {
    size_t part = (size_t) minimum_u64 (length, prefix_bytes - offset);

    if (file_read_at (&shown->file, offset, to, part, err) < 0)
      return -1;
    to += part;
    offset += part;
    length -= part;
  }
  if (length == 0)
    return 0;
  return views_read (mounting->views, shown, offset, to, length, err);
}

/* The first entry whose window ends behind OFFSET. */
static uint64_t
find_entry (const struct shown_image *shown, uint64_t offset)
{
  return image_find_window (shown->image,
                            offset / shown->image->header.chunk_bytes);
}

uint64_t
shown_next_data (const struct shown_image *shown, uint64_t offset)
{
  const struct image *image = shown->image;
  uint64_t entry = find_entry (shown, offset);

  if (offset < image->header.prefix_bytes)
    return offset;
  if (entry == image->footer.record_count)
    return image->header.source_bytes;
  return maximum_u64 (offset, image->entries[entry].window *
                      image->header.chunk_bytes);
}

uint64_t
shown_next_hole (const struct shown_image *shown, uint64_t offset)
{
  const struct image *image = shown->image;
  uint32_t chunk_bytes = image->header.chunk_bytes;
  uint64_t entry;

  offset = maximum_u64 (offset, image->header.prefix_bytes);
  for (entry = find_entry (shown, offset);
       entry < image->footer.record_count &&
       image->entries[entry].window == offset / chunk_bytes; entry++)
    offset = (image->entries[entry].window + 1) * chunk_bytes;
  return minimum_u64 (offset, image->header.source_bytes);
}
