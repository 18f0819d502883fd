/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What earlier mounts left in the store. */

#include <config.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mount/packing_private.h"
#include "mount/shown.h"
#include "names/draft.h"
#include "pipeline/repack.h"

/* Folders below each other. */
#define DEPTH_MAX 64u

static void
say (const struct packing *packing, enum say_level level, const char *name,
     const char *what)
{
  char line[PLACE_PATH_BYTES + 256];

  snprintf (line, sizeof line, "%s: %s", name, what);
  packing->store->mounting->say (level, line);
}

/* A source to compare until the mount ends. */
struct compared {
  const struct packing *packing;
  struct read_at view;
};

static int
read_compared (void *opaque, uint64_t offset, void *buffer, size_t length,
               struct error *err)
{
  struct compared *compared = opaque;
  struct read_at *view = &compared->view;

  return compared->packing->stopping
    ? error_set (err, ERROR_CANCELLED, 0, "the mount ends")
    : view->read (view->opaque, offset, buffer, length, err);
}

static uint64_t
next_data (void *opaque, uint64_t offset)
{
  struct compared *compared = opaque;

  return compared->view.next_data (compared->view.opaque, offset);
}

/* Whether both images are of the same source, prefix and all, byte by byte. */
static bool
is_same_source (const struct packing *packing, const struct shown_image *part,
                const struct shown_image *whole)
{
  uint64_t size = part->image->header.source_bytes;
  struct image_view *first = NULL, *second = NULL;
  struct error ignored = { 0 };
  bool same = false;

  if (size == whole->image->header.source_bytes &&
      image_view_open (part->image, &part->decoding, NULL, &first,
                       &ignored) == 0 &&
      image_view_open (whole->image, &whole->decoding, NULL, &second,
                       &ignored) == 0) {
    struct compared a = { packing, read_at_of_view (first) };
    struct compared b = { packing, read_at_of_view (second) };
    struct read_at one = { read_compared, next_data, &a, size, 0 };
    struct read_at other = { read_compared, next_data, &b, size, 0 };

    same = read_at_same (&one, &other, 0, size, &ignored) > 0;
  }
  image_view_close (first);
  image_view_close (second);
  return same;
}

/* Whether PART and the image that has its name without .part are a pair of
 * which one was about to take the other's place, and whoever wants anything of
 * PART finds it in the other.  That is read from end to end.
 */
static bool
is_superfluous (const struct packing *packing, const struct shown_image *part,
                const struct shown_image *whole)
{
  const uint8_t *part_id = part->image->header.image_id;
  const uint8_t *whole_id = whole->image->header.image_id;
  uint8_t of_part[IMAGE_ID_BYTES], of_whole[IMAGE_ID_BYTES];
  struct run_options options =
    packing_run_options (packing, whole->image->header.chunk_bytes);
  struct error ignored = { 0 };

  packed_image_id (part_id, of_part);
  packed_image_id (whole_id, of_whole);
  if (memcmp (part_id, of_whole, IMAGE_ID_BYTES) != 0 &&
      memcmp (whole_id, of_part, IMAGE_ID_BYTES) != 0)
    return false;
  return is_same_source (packing, part, whole) &&
    verify_records (whole->image, whole->decoding.codec, &options,
                    &ignored) == 0;
}

/* Remove PLACE, which has the file of PART. */
static void
remove_part (const struct packing *packing, const struct place *place,
             const struct shown_image *part)
{
  struct error err = { 0 };
  int removed = -1;

  if (file_lock (&part->file, false, &err) == 0)
    removed = place_remove (place, &part->file, &err);
  if (removed > 0)
    say (packing, SAY_NOTE, place->path, "removed: packing it was done, or "
         "given up, when an earlier mount ended");
  else if (removed < 0)
    mounting_say_error (packing->store->mounting, &err);
}

/* PART, an image that is whole, is the file NAME in the folder PARENT, which
 * ends with the suffix of drafts: remove it if nobody can want it.
 */
static void
look_at_part (const struct packing *packing, const struct node *parent,
              const char *name, const struct node *node)
{
  const struct mounting *mounting = packing->store->mounting;
  size_t length = strlen (name) - strlen (DRAFT_SUFFIX);
  struct shown_image *part = NULL, *whole = NULL;
  struct place place = PLACE_CLOSED;
  struct error ignored = { 0 };
  char whole_name[NAME_MAX + 1];
  int fd;

  snprintf (whole_name, sizeof whole_name, "%.*s", (int) length, name);
  fd = openat (parent->fd, whole_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0 && shown_open (mounting, fd, &whole, &ignored) == 0 &&
      shown_open (mounting, node->fd, &part, &ignored) == 0 &&
      store_find_place (mounting->root_fd, node->fd, &place, &ignored) == 0 &&
      is_superfluous (packing, part, whole))
    remove_part (packing, &place, part);
  place_close (&place);
  shown_close (mounting, part);
  shown_close (mounting, whole);
  if (fd >= 0)
    close (fd);
}

static bool
is_part (const char *name)
{
  size_t length = strlen (name), suffix = strlen (DRAFT_SUFFIX);

  return length > suffix && strcmp (name + length - suffix,
                                    DRAFT_SUFFIX) == 0;
}

static void
look_at_file (struct packing *packing, const struct node *parent,
              const char *name, struct node *node)
{
  struct error err = { 0 };
  enum shown content;
  uint64_t source_bytes;
  bool half;

  /* Who uses it sees to the rest. */
  if (mounted_watch (node->file) != 0 ||
      shown_look (node->fd, &content, &source_bytes, &half, &err) < 0 ||
      content == SHOWN_PLAIN)
    return;
  if (content == SHOWN_IMAGE && is_part (name))
    look_at_part (packing, parent, name, node);
  else if (content == SHOWN_IMAGE)
    packing_add (packing, node);
  else if (roll_back_leftover (packing, node, name))
    packing_add (packing, node);
  /* A draft may be on its way. */
  else if (!is_part (name) && !mounted_is_disturbed (node->file))
    say (packing, SAY_WARNING, name, "was left unfinished, or is damaged, and "
         "cannot be read; iopress recover saves what is whole of it");
}

static void look_at_folder (struct packing *packing, struct node *folder,
                            unsigned int depth);

static void
look_at_name (struct packing *packing, const struct node *folder,
              const char *name, unsigned int depth)
{
  struct node *node;
  struct stat now;

  if (strcmp (name, ".") == 0 || strcmp (name, "..") == 0 ||
      store_lookup (packing->store, folder, name, &node) != 0)
    return;
  if (node->file != NULL)
    look_at_file (packing, folder, name, node);
  else if (fstat (node->fd, &now) == 0 && S_ISDIR (now.st_mode) &&
           depth < DEPTH_MAX)
    look_at_folder (packing, node, depth + 1);
  store_forget (packing->store, node, 1);
}

static void
look_at_folder (struct packing *packing, struct node *folder,
                unsigned int depth)
{
  int fd = openat (folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = fd >= 0 ? fdopendir (fd) : NULL;
  struct dirent *entry;

  if (stream == NULL) {
    if (fd >= 0)
      close (fd);
    return;
  }
  while (!packing->stopping && (entry = readdir (stream)) != NULL)
    look_at_name (packing, folder, entry->d_name, depth);
  closedir (stream);
}

void
look_at_leftovers (struct packing *packing)
{
  look_at_folder (packing, &packing->store->root, 0);
}
