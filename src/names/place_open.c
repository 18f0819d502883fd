/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening and creating what stands in a place. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "names/place.h"
#include "names/probe.h"

static int
open_at (const struct place *place, int flags)
{
  int fd;

  do
    fd = openat (place->folder, place_base (place),
                 flags | O_CLOEXEC | O_NOCTTY, 0600);
  while (fd < 0 && errno == EINTR);
  return fd;
}

/* Nothing waits for the other end of a pipe, or for who has a lease.  The flag
 * means nothing for the regular file that it must be, and goes.
 */
static int
open_without_waiting (const struct place *place, int access)
{
  int fd = open_at (place, access | O_NOFOLLOW | O_NONBLOCK);

  if (fd >= 0)
    fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) & ~O_NONBLOCK);
  return fd;
}

static enum place_found
refuse (const struct place *place, const char *why, struct error *err)
{
  error_about (err, ERROR_FAILED, 0, place->path,
               "stands there and is not a file of ours: %s", why);
  return PLACE_FOREIGN;
}

/* Whether a file of UID is ours.  Returns 1, 0, or -1 with ERR. */
static int
is_owner (const struct place *place, const struct place_owners *owners,
          uid_t uid, struct error *err)
{
  struct stat st;
  uid_t created;

  if (uid == geteuid ())
    return 1;
  if (owners != NULL && owners->like != NULL &&
      fstat (owners->like->fd, &st) == 0 && st.st_uid == uid)
    return 1;
  if (owners != NULL && owners->folder &&
      fstat (place->folder, &st) == 0 && st.st_uid == uid)
    return 1;
  /* Over a network, or by an option of the mount, they are another's. */
  return probe_owner (place, &created, err) < 0 ? -1 : uid == created;
}

/* What is known of it before it is opened, and must hold for what was opened.
 */
static enum place_found
judge (const struct place *place, const struct place_owners *owners,
       const struct stat *st, struct error *err)
{
  int ours;

  if (S_ISLNK (st->st_mode))
    return refuse (place, "it is a symbolic link", err);
  if (!S_ISREG (st->st_mode))
    return refuse (place, "it is not a regular file", err);
  /* 0: the file system does not count them. */
  if (st->st_nlink > 1)
    return refuse (place, "it has another name, too", err);
  ours = is_owner (place, owners, st->st_uid, err);
  if (ours == 0)
    return refuse (place, "it belongs to another user", err);
  return ours < 0 ? PLACE_ERROR : PLACE_OURS;
}

enum place_found
place_open_found (const struct place *place, const struct place_owners *owners,
                  bool update, struct file_how how, struct file *file,
                  struct error *err)
{
  enum place_found found;
  struct stat st;
  int looked;

  *file = (struct file) FILE_CLOSED;
  looked = place_look (place, &st, err);
  if (looked <= 0)
    return looked < 0 ? PLACE_ERROR : PLACE_NOTHING;
  /* Opening a device can have an effect. */
  found = judge (place, owners, &st, err);
  if (found != PLACE_OURS)
    return found;
  if (file_take_opened (open_without_waiting (place, update ? O_RDWR
                                              : O_RDONLY),
                        place->path, how, file, err) < 0)
    return PLACE_ERROR;
  if (fstat (file->fd, &st) < 0) {
    error_about (err, ERROR_FAILED, errno, place->path, "cannot be examined");
    return PLACE_ERROR;
  }
  return judge (place, owners, &st, err);
}

int
place_create (const struct place *place, struct file_how how,
              struct file *file, struct error *err)
{
  int fd = open_at (place, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
  struct error ignored = { 0 };

  *file = (struct file) FILE_CLOSED;
  if (fd < 0 && errno == EEXIST)
    return 0;
  if (file_take_opened (fd, place->path, how, file, err) == 0)
    return 1;
  if (file->fd >= 0)
    place_remove (place, file, &ignored);
  return -1;
}

/* What the caller named, and is not to be opened as a file. */
static int
refuse_named (const struct place *place, const struct stat *st,
              struct error *err)
{
  if (S_ISDIR (st->st_mode))
    return error_about (err, ERROR_FAILED, EISDIR, place->path,
                        "cannot be used");
  return error_about (err, ERROR_USAGE, 0, place->path, S_ISLNK (st->st_mode)
                      ? "is a symbolic link: name the file itself"
                      : "is not a regular file");
}

int
place_open_regular (const struct place *place, bool follow,
                    struct file_how how, struct file *file,
                    struct error *err)
{
  int no_link = follow ? 0 : AT_SYMLINK_NOFOLLOW;
  struct stat st;

  *file = (struct file) FILE_CLOSED;
  if (fstatat (place->folder, place_base (place), &st, no_link) < 0)
    return error_about (err, ERROR_FAILED, errno, place->path,
                        "cannot be opened");
  if (!S_ISREG (st.st_mode))
    return refuse_named (place, &st, err);
  if (file_take_opened (open_at (place, O_RDWR | (follow ? 0 : O_NOFOLLOW)),
                        place->path, how, file, err) < 0)
    return -1;
  return file->regular ? 0 : refuse_named (place, &st, err);
}

int
place_find (const struct place *place)
{
  return openat (place->folder, place_base (place), O_PATH | O_CLOEXEC);
}
