/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A place: a name in an open folder. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "names/place.h"
#include "util/cleanup.h"

/* A folder that may be searched but not read cannot be flushed, and has files
 * all the same.
 */
static int
open_folder (const char *path)
{
  int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  int fd;

  do {
    fd = open (path, flags);
    if (fd < 0 && errno == EACCES && (flags & O_PATH) == 0) {
      flags |= O_PATH;
      errno = EINTR;
    }
  } while (fd < 0 && errno == EINTR);
  return fd;
}

int
place_open (const char *path, struct place *place, struct error *err)
{
  char folder[PLACE_PATH_BYTES];
  const char *slash = strrchr (path, '/');

  *place = (struct place) PLACE_CLOSED;
  if ((size_t) snprintf (place->path, sizeof place->path, "%s", path) >=
      sizeof place->path)
    return error_about (err, ERROR_FAILED, ENAMETOOLONG, place->path,
                        "cannot be opened");
  place->base = slash != NULL ? (size_t) (slash + 1 - path) : 0;
  if (place_base (place)[0] == '\0')
    return error_about (err, ERROR_FAILED, slash != NULL ? EISDIR : ENOENT,
                        place->path, "cannot be opened");
  snprintf (folder, sizeof folder, "%.*s", (int) place->base, path);
  place->folder = open_folder (slash != NULL ? folder : ".");
  if (place->folder < 0)
    return error_about (err, ERROR_FAILED, errno, place->path,
                        "its folder cannot be opened");
  place->owned = true;
  return 0;
}

int
place_take_folder (int folder, const char *name, struct place *place,
                   struct error *err)
{
  *place = (struct place) { .folder = folder, .owned = true };
  if ((size_t) snprintf (place->path, sizeof place->path, "%s", name) <
      sizeof place->path && name[0] != '\0' && strchr (name, '/') == NULL)
    return 0;
  place_close (place);
  return error_about (err, ERROR_FAILED, ENAMETOOLONG, place->path,
                      "cannot be opened");
}

void
place_close (struct place *place)
{
  if (place->owned)
    close (place->folder);
  place->owned = false;
  place->folder = -1;
}

int
place_beside (const struct place *place, const char *suffix,
              struct place *beside, struct error *err)
{
  int length = snprintf (beside->path, sizeof beside->path, "%s%s",
                         place->path, suffix);

  beside->folder = place->folder;
  beside->owned = false;
  beside->base = place->base;
  if (length > 0 && (size_t) length < sizeof beside->path)
    return 0;
  return error_about (err, ERROR_FAILED, ENAMETOOLONG, place->path,
                      "cannot be created");
}

const char *
place_base (const struct place *place)
{
  return place->path + place->base;
}

int
place_look (const struct place *place, struct stat *st, struct error *err)
{
  if (fstatat (place->folder, place_base (place), st,
               AT_SYMLINK_NOFOLLOW) == 0)
    return 1;
  return errno == ENOENT ? 0
    : error_about (err, ERROR_FAILED, errno, place->path,
                   "cannot be examined");
}

static bool
is_name_of (const struct place *place, const struct file *file, int flags)
{
  struct stat opened, named;

  return fstat (file->fd, &opened) == 0 &&
    fstatat (place->folder, place_base (place), &named, flags) == 0 &&
    opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

bool
place_has (const struct place *place, const struct file *file)
{
  return is_name_of (place, file, AT_SYMLINK_NOFOLLOW);
}

bool
place_leads_to (const struct place *place, const struct file *file)
{
  return is_name_of (place, file, 0);
}

int
place_check (const struct place *place, const struct file *file,
             struct error *err)
{
  return place_has (place, file) ? 0
    : error_about (err, ERROR_FAILED, 0, place->path,
                   "was removed or replaced while it was written");
}

int
place_remove (const struct place *place, const struct file *file,
              struct error *err)
{
  /* The system knows no way to do both in one step. */
  if (!place_has (place, file))
    return 0;
  if (unlinkat (place->folder, place_base (place), 0) == 0 ||
      errno == ENOENT)
    return 1;
  return error_about (err, ERROR_FAILED, errno, place->path,
                      "cannot be removed");
}

int
place_sync (const struct place *place, struct error *err)
{
  int result;

  do
    result = fsync (place->folder);
  while (result < 0 && errno == EINTR);
  /* File systems without a durable folder say EINVAL; nothing is lost.  EBADF:
   * it could not be opened for reading.
   */
  if (result == 0 || errno == EINVAL)
    return 0;
  return error_about (err, ERROR_FAILED, errno == EBADF ? EACCES : errno,
                      place->path, "cannot flush the folder to disk");
}

int
place_check_writers (const struct place *place, struct error *err)
{
  CLEANUP_CLOSE int fd = openat (place->folder, place_base (place),
                                 O_RDONLY | O_CLOEXEC | O_NOCTTY |
                                 O_NONBLOCK | O_NOFOLLOW);

  return file_check_lease (fd, place->path, err);
}
