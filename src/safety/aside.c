/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The aside: the copy of an image that expand puts beside it. */

#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/file_header.h"
#include "format/marker.h"
#include "guest/libvirt_header.h"
#include "io/file_copy.h"
#include "names/draft.h"
#include "safety/aside.h"
#include "util/bytes.h"
#include "util/cleanup.h"

#define COMPARE_BYTES (1u << 20)
#define SECTOR_BYTES 512u

int
aside_place (const struct place *file, const uint8_t image_id[IMAGE_ID_BYTES],
             struct place *aside, struct error *err)
{
  char suffix[ASIDE_SUFFIX_BYTES];

  aside_suffix (image_id, suffix);
  return place_beside (file, suffix, aside, err);
}

bool
aside_name_fits (const char *file)
{
  static const uint8_t any_id[IMAGE_ID_BYTES];
  char suffix[ASIDE_SUFFIX_BYTES];
  const char *slash = strrchr (file, '/');
  const char *base = slash != NULL ? slash + 1 : file;
  long most = pathconf (file, _PC_NAME_MAX);

  aside_suffix (any_id, suffix);
  return most < 0 ||
    strlen (base) + strlen (suffix) + strlen (".part") <= (size_t) most;
}

/* Whether NAME is that of an aside of FILE; returns what follows FILE's. */
static const char *
suffix_of_aside (const struct place *file, const char *name)
{
  const char *base = place_base (file), *suffix = aside_suffix_of (name);
  size_t length = strlen (base);

  return suffix == name + length && strncmp (name, base, length) == 0
    ? suffix : NULL;
}

/* A descriptor of its own: reading the names moves it. */
static DIR *
open_folder (const struct place *file)
{
  DIR *folder = NULL;
  int fd;

  do
    fd = openat (file->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  while (fd < 0 && errno == EINTR);
  if (fd >= 0 && (folder = fdopendir (fd)) == NULL)
    close (fd);
  return folder;
}

/* Whether FILE's name PLACE with SUFFIX is another one of FILE. */
static bool
is_another_name (const struct place *place, const char *suffix,
                 const struct file *file)
{
  struct error ignored = { 0 };
  struct place beside;

  return place_beside (place, suffix, &beside, &ignored) == 0 &&
    place_has (&beside, file);
}

int
aside_find (const struct place *place, const struct file *file,
            aside_taker *take, void *opaque, struct error *err)
{
  DIR *folder = open_folder (place);
  struct dirent *entry;
  const char *suffix;
  bool taken = false;

  if (folder == NULL)
    return error_about (err, ERROR_FAILED, errno, place->path,
                        "its folder cannot be read");
  while (!taken && (entry = readdir (folder)) != NULL)
    if ((suffix = suffix_of_aside (place, entry->d_name)) != NULL &&
        !is_another_name (place, suffix, file))
      taken = take (opaque, suffix);
  closedir (folder);
  return 0;
}

enum place_found
aside_open (const struct place *aside, const struct file *file,
            struct file_how how, struct file *copy, struct error *err)
{
  /* Whoever owns the folder could put anything there anyway, and it is checked
   * against FILE; FILE's owner may have been another one meanwhile.
   */
  struct place_owners owners = { .like = file, .folder = true };
  enum place_found found = place_open_found (aside, &owners, false, how,
                                             copy, err);

  if (found != PLACE_OURS || !file_same (copy, file))
    return found;
  error_about (err, ERROR_FAILED, 0, aside->path,
               "is the same file once more");
  return PLACE_FOREIGN;
}

/* Whether all of PART is what stands in WHOLE, or, sector by sector, zeros that
 * have not been written yet.
 */
static bool
is_part_of (const uint8_t *part, const uint8_t *whole, size_t length)
{
  size_t offset;

  for (offset = 0; offset < length; offset += SECTOR_BYTES) {
    size_t count = (size_t) minimum_u64 (SECTOR_BYTES, length - offset);

    if (memcmp (part + offset, whole + offset, count) != 0 &&
        !bytes_are_zero (part + offset, count))
      return false;
  }
  return true;
}

/* Whether COPY is what a run could have left that was making it of FILE, from
 * OFFSET on, which is one of a page.  Returns 1, 0, or -1 with ERR.
 */
static int
is_partial_copy (const struct file *copy, const struct file *file,
                 uint64_t offset, struct error *err)
{
  CLEANUP_FREE uint8_t *found = malloc (2 * COMPARE_BYTES);

  if (found == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot compare");
  if (copy->size > align_up (file->size, PAGE_BYTES))
    return 0;
  for (; offset < copy->size; offset += COMPARE_BYTES) {
    uint8_t *expected = found + COMPARE_BYTES;
    size_t length = (size_t) minimum_u64 (COMPARE_BYTES, copy->size - offset);
    size_t there = (size_t) minimum_u64 (length, file->size > offset
                                         ? file->size - offset : 0);

    memset (expected + there, 0, length - there);
    if (file_read_at (copy, offset, found, length, err) < 0 ||
        file_read_at (file, offset, expected, there, err) < 0)
      return -1;
    if (!is_part_of (found, expected, length))
      return 0;
  }
  return 1;
}

/* Whether both files have the same bytes from OFFSET to END.  Returns 1, 0, or
 * -1 with ERR.
 */
static int
is_same (const struct file *copy, const struct file *file, uint64_t offset,
         uint64_t end, struct error *err)
{
  struct read_at a = read_at_of_file (copy), b = read_at_of_file (file);

  return minimum_u64 (a.size, b.size) < end ? 0
    : read_at_same (&a, &b, offset, end, err);
}

static int
refuse_foreign (const char *path, struct error *err)
{
  error_about (err, ERROR_FAILED, EEXIST, path, "is not a copy of the image");
  return error_hint (err, "look at it, then move it away and try again");
}

/* Take away what an earlier run has left under the name.  It is made anew: that
 * it is another file than FILE, and not just by another name, cannot be seen
 * everywhere.
 */
static int
remove_old (const struct place *aside, const struct file *file,
            uint64_t prefix_bytes, struct file_how how, struct error *err)
{
  struct file copy = FILE_CLOSED;
  enum place_found found;
  int same;

  found = aside_open (aside, file, how, &copy, err);
  if (found == PLACE_NOTHING)
    return 0;
  if (found != PLACE_OURS)
    same = -1;
  else
    same = copy.size != file->size ? 0
      : is_same (&copy, file, prefix_bytes, file->size, err);
  if (same > 0)
    same = place_remove (aside, &copy, err);
  if (same == 0)
    refuse_foreign (aside->path, err);
  file_close (&copy);
  return same > 0 ? 0 : -1;
}

/* What the copy is made of. */
struct original {
  const struct file *file;
  uint64_t prefix_bytes;
};

/* Whether PART has a prefix of libvirt's, from before virsh edited that of
 * FILE, and nothing else that FILE does not have.  Returns 1, 0, or -1 with
 * ERR.
 */
static int
is_earlier_prefix (const struct file *part, const struct file *file,
                   uint64_t prefix_bytes, struct error *err)
{
  uint64_t records = align_up (prefix_bytes + FILE_HEADER_BYTES, PAGE_BYTES);
  uint8_t header[LIBVIRT_HEADER_BYTES];

  if (minimum_u64 (prefix_bytes, part->size) < sizeof header)
    return 0;
  if (file_read_at (part, 0, header, sizeof header, err) < 0)
    return -1;
  return libvirt_header_present (header)
    ? is_partial_copy (part, file, records, err) : 0;
}

/* Whether PART is what an earlier run has left of a copy, at least by its file
 * header, or without one: virsh may have edited the prefix since.
 */
static int
judge_part (void *opaque, struct file *part, struct error *err)
{
  const struct original *original = opaque;
  const struct file *file = original->file;
  uint64_t header = original->prefix_bytes;
  int ours = is_partial_copy (part, file, 0, err);

  if (ours == 0)
    ours = is_same (part, file, header, header + FILE_HEADER_BYTES, err);
  if (ours == 0)
    ours = is_earlier_prefix (part, file, header, err);
  return ours == 0 ? refuse_foreign (part->name, err) : ours < 0 ? -1 : 0;
}

/* FILE's owner may need it, too; if not, it does not matter. */
static void
give_owner (const struct file *copy, const struct file *file)
{
  struct stat st;

  if (fstat (file->fd, &st) < 0 || fchown (copy->fd, st.st_uid, st.st_gid) < 0)
    return;
}

static int
make_copy (struct draft *draft, struct file *file, uint64_t prefix_bytes,
           struct file_how how, struct file *copy, struct error *err)
{
  struct original original = { .file = file, .prefix_bytes = prefix_bytes };
  struct place_owners owners = { .like = file };
  struct draft_leftover leftover = {
    .judge = judge_part,
    .opaque = &original,
    .owners = &owners,
  };

  if (draft_create (draft, &leftover, how, copy, err) < 0)
    return -1;
  if (file_copy (file, copy, 0, file->size, err) < 0)
    return -1;
  copy->size = file->size;
  give_owner (copy, file);
  return draft_publish (draft, DRAFT_NEW, NULL, err);
}

/* Where each name has an inode number of its own the copy has to be opened by
 * its new one, to be known by it later.
 */
static int
open_by_name (const struct place *aside, const struct file *file,
              struct file *copy, struct error *err)
{
  struct file_how how = copy->how;

  if (place_has (aside, copy))
    return 0;
  file_close (copy);
  if (aside_open (aside, file, how, copy, err) == PLACE_OURS)
    return 0;
  return error_about (err, ERROR_FAILED, 0, aside->path,
                      "was removed while it was written");
}

static bool
has_more_names (const struct file *file)
{
  struct stat st;

  return fstat (file->fd, &st) == 0 && st.st_nlink > 1;
}

int
aside_free_name (const struct place *aside, const struct file *file,
                 struct error *err)
{
  int removed;

  /* FILE has the name by which it was opened, too. */
  if (!place_has (aside, file) || !has_more_names (file))
    return 0;
  removed = place_remove (aside, file, err);
  if (removed > 0)
    error_about (err, ERROR_FAILED, 0, aside->path,
                 "was another name of %s, and is removed", file->name);
  return removed;
}

int
aside_make (const struct place *aside, struct file *file,
            uint64_t prefix_bytes, struct file_how how, struct file *copy,
            struct error *err)
{
  struct draft draft = DRAFT_CLOSED;
  int result = draft_open_at (aside, &draft, err);

  if (result == 0)
    result = draft_finish_naming (&draft, err);
  if (result == 0)
    result = remove_old (aside, file, prefix_bytes, how, err);
  if (result == 0)
    result = make_copy (&draft, file, prefix_bytes, how, copy, err);
  if (result == 0)
    result = open_by_name (aside, file, copy, err);
  if (result < 0)
    draft_drop (&draft);
  draft_close (&draft);
  return result;
}

int
aside_remove (const struct place *aside, const struct file *copy,
              struct error *err)
{
  if (place_remove (aside, copy, err) < 0 || place_sync (aside, err) < 0)
    return error_context (err, "it is not needed any more");
  return 0;
}
