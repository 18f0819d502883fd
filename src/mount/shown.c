/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image of the store, read as its source. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/content.h"
#include "mount/shown.h"
#include "mount/store.h"
#include "util/cleanup.h"

/* Open the file behind FD for reading, under the name that it has in the store.
 */
static int
open_below (int fd, struct file *file, struct error *err)
{
  char path[NODE_PATH_BYTES];

  if (file_open (descriptor_path (fd, path), FILE_READ,
                 FILE_HOW (DIRECT_IO_OFF), file, err) < 0)
    return -1;
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

/* Look at the file behind FD, which the caller closes. */
static int
look_below (int fd, struct file *file, struct content *content,
            struct error *err)
{
  struct read_at at;
  int result = open_below (fd, file, err);

  if (result < 0)
    return -1;
  at = read_at_of_file (file);
  result = content_look (&at, CONTENT_SEARCH_USUAL, content, err);
  content_free (content);
  return result;
}

int
shown_look (int fd, enum shown *shown, uint64_t *source_bytes, bool *half,
            struct error *err)
{
  struct content content;
  struct file file;
  int result = look_below (fd, &file, &content, err);

  if (result == 0) {
    *shown = SHOWN_PLAIN;
    *source_bytes = content.header.source_bytes;
    *half = content_is_half (&content);
    if (content_is_image (&content))
      result = look_at_image (&file, &content, shown, err);
  }
  file_close (&file);
  return result;
}

/* Whether the file behind FD is half expanded from an aside with SUFFIX. */
static int
is_expanded_from (int fd, const char *suffix, bool *is, struct error *err)
{
  char expected[ASIDE_SUFFIX_BYTES];
  struct content content;
  struct file file;
  int result = look_below (fd, &file, &content, err);

  if (result == 0 && content.kind == CONTENT_HALF_EXPANDED) {
    aside_suffix (content.marker.image_id, expected);
    *is = strcmp (expected, suffix) == 0;
  }
  file_close (&file);
  return result;
}

/* The same for what has PLACE's name without its SUFFIX. */
static int
look_beside (const struct place *place, const char *suffix, bool *is,
             struct error *err)
{
  const char *base = place_base (place);
  char name[NAME_MAX + 1];
  CLEANUP_CLOSE int fd = -1;
  struct stat now;

  if ((size_t) (suffix - base) >= sizeof name)
    return 0;
  memcpy (name, base, (size_t) (suffix - base));
  name[suffix - base] = '\0';
  fd = openat (place->folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT)
    return 0;
  if (fd < 0 || fstat (fd, &now) < 0)
    return error_about (err, ERROR_FAILED, errno, name,
                        "cannot be looked at");
  return S_ISREG (now.st_mode) ? is_expanded_from (fd, suffix, is, err) : 0;
}

int
shown_look_for_aside (int root, int fd, bool *aside, struct error *err)
{
  struct place place = PLACE_CLOSED;
  char name[PATH_MAX];
  const char *suffix;
  int result;

  *aside = false;
  /* Few names are worth more than this. */
  if (aside_suffix_of (descriptor_name (fd, name, sizeof name)) == NULL)
    return 0;
  result = store_find_place (root, fd, &place, err);
  suffix = result == 0 ? aside_suffix_of (place_base (&place)) : NULL;
  if (suffix != NULL)
    result = look_beside (&place, suffix, aside, err);
  place_close (&place);
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
  if (shown == NULL)
    return;
  views_drop (mounting->views, shown);
  image_close (shown->image);
  file_close (&shown->file);
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
