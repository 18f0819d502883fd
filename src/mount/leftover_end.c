/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image that was whole, and was being written to when a mount ended. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mount/packing_private.h"
#include "pipeline/repack.h"
#include "util/cleanup.h"

/* What is looked at at a time, and once more with the next piece. */
#define PIECE_BYTES (256u << 10)
#define OVERLAP_BYTES (FOOTER_BYTES - 1)

struct leftover_end {
  struct packing *packing;
  struct file file;
  struct image *image;
  struct file_state seen;      /* before it was looked at */
};

/* Whether a footer ends at END, and the index before it is whole: then IMAGE
 * has that.
 */
static bool
ends_at (struct image *image, uint64_t end)
{
  struct error ignored = { 0 };

  image->file->size = end;
  free (image->entries);
  image->entries = NULL;
  return end >= records_start (&image->header) + FOOTER_BYTES &&
    image_is_finished (image, &ignored) == 1 &&
    image_load_index (image, &ignored) == 0;
}

/* The same for the last such end within the LENGTH bytes at PIECE, which stand
 * at OFFSET.
 */
static bool
ends_within (struct image *image, const uint8_t *piece, size_t length,
             uint64_t offset)
{
  const size_t magic_bytes = strlen (FOOTER_END_MAGIC);
  size_t end;

  for (end = length; end >= magic_bytes; end--)
    if (memcmp (piece + end - magic_bytes, FOOTER_END_MAGIC,
                magic_bytes) == 0 &&
        ends_at (image, offset + end))
      return true;
  return false;
}

/* Find the last end that IMAGE had. */
static bool
find_end (struct image *image)
{
  CLEANUP_FREE uint8_t *piece = malloc (PIECE_BYTES);
  uint64_t start = records_start (&image->header), offset = image->file->size;
  struct error ignored = { 0 };
  uint64_t end = offset;

  while (piece != NULL && offset > start) {
    size_t length;

    offset = end - minimum_u64 (PIECE_BYTES, end - start);
    length = (size_t) (end - offset);
    if (file_read_at (image->file, offset, piece, length, &ignored) < 0)
      return false;
    if (ends_within (image, piece, length, offset))
      return true;
    if (offset > start)
      end = offset + OVERLAP_BYTES;
  }
  return false;
}

/* Fill PAGE with what stands from OFFSET to the end of its page, or of the
 * file, and zeros behind that.
 */
static bool
read_page (const struct file *file, uint64_t offset, uint8_t page[PAGE_BYTES])
{
  uint64_t end = minimum_u64 (align_up (offset + 1, PAGE_BYTES), file->size);
  struct error ignored = { 0 };

  memset (page, 0, PAGE_BYTES);
  return file_read_at (file, offset, page, (size_t) (end - offset),
                       &ignored) == 0;
}

/* Whether what stands behind END is what a mount wrote to IMAGE: the first page
 * that is not zeros begins with a record of it, or there is none.
 */
static bool
is_ours (const struct image *image, uint64_t end)
{
  const struct file *file = image->file;
  uint8_t page[PAGE_BYTES];
  struct record_header record;
  struct error ignored = { 0 };
  uint64_t at = end, next;

  while (at < file->size) {
    if (!read_page (file, at, page))
      return false;
    if (!bytes_are_zero (page, sizeof page))
      return at % PAGE_BYTES == 0 &&
        record_header_decode (page, &record, &ignored) == 0 &&
        memcmp (record.image_id, image->header.image_id,
                IMAGE_ID_BYTES) == 0;
    next = align_up (at + 1, PAGE_BYTES);
    at = maximum_u64 (next, align_down (file_next_data (file, next),
                                        PAGE_BYTES));
  }
  return true;
}

/* Nobody has the file open through the mount: cut it, unless somebody who does
 * not ask the mount has written to it since.
 */
static int
cut (void *opaque, int *path_fd)
{
  struct leftover_end *leftover = opaque;
  struct image *image = leftover->image;
  struct error ignored = { 0 };
  char path[NODE_PATH_BYTES];
  int fd = open (descriptor_path (leftover->file.fd, path),
                 O_RDWR | O_CLOEXEC);
  int result = 0;

  *path_fd = -1;
  if (fd < 0)
    return errno;
  if (file_check_state (&leftover->file, &leftover->seen, &ignored) < 0)
    result = ECANCELED;
  else if (ftruncate (fd, (off_t) image->bytes) < 0 || fsync (fd) < 0)
    result = errno;
  close (fd);
  return result;
}

/* Find the end, and believe it only with all that comes before. */
static bool
find_whole (struct leftover_end *leftover, const struct node *node)
{
  const struct mounting *mounting = leftover->packing->store->mounting;
  struct error ignored = { 0 };
  const struct codec *codec;
  char path[NODE_PATH_BYTES];
  struct run_options options;
  uint64_t size;

  if (file_open (descriptor_path (node->fd, path), FILE_READ,
                 FILE_HOW (DIRECT_IO_OFF), &leftover->file, &ignored) < 0 ||
      file_lock (&leftover->file, false, &ignored) < 0 ||
      file_note_state (&leftover->file, &leftover->seen, &ignored) < 0 ||
      image_open (&leftover->file, &leftover->image, &ignored) < 0)
    return false;
  size = leftover->file.size;
  if (!find_end (leftover->image) || leftover->image->bytes >= size ||
      codecs_find (mounting->codecs, leftover->image->header.codec, &codec,
                   &ignored) < 0)
    return false;
  options = packing_run_options (leftover->packing,
                                 leftover->image->header.chunk_bytes);
  leftover->file.size = size;
  if (!is_ours (leftover->image, leftover->image->bytes))
    return false;
  leftover->file.size = leftover->image->bytes;
  return verify_records (leftover->image, codec, &options, &ignored) == 0;
}

bool
roll_back_leftover (struct packing *packing, struct node *node,
                    const char *name)
{
  struct leftover_end leftover = { .packing = packing, .file = FILE_CLOSED };
  char line[512];
  bool result = find_whole (&leftover, node) &&
    mounted_replace (node->file, cut, &leftover) == 0;

  image_close (leftover.image);
  file_close (&leftover.file);
  if (!result)
    return false;
  snprintf (line, sizeof line, "%s: was being written to when an earlier mount "
            "ended, and is as it was before", name);
  packing->store->mounting->say (SAY_WARNING, line);
  return true;
}
