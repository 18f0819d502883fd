/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a folder's file system does, tried with files of our own. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "names/probe.h"

struct probe {
  struct place place;
  struct file file;
};

/* What a kill has left under the name is empty. */
static int
remove_leftover (const struct place *place, struct error *err)
{
  struct stat st;
  int there = place_look (place, &st, err);

  if (there <= 0)
    return there;
  if (!S_ISREG (st.st_mode) || st.st_size > 0)
    return error_about (err, ERROR_FAILED, EEXIST, place->path,
                        "stands in the way");
  return unlinkat (place->folder, place_base (place), 0) == 0 ||
    errno == ENOENT ? 0 : error_about (err, ERROR_FAILED, errno, place->path,
                                       "cannot be removed");
}

static int
create (const struct place *place, struct probe *probe, struct error *err)
{
  int created;

  probe->file = (struct file) FILE_CLOSED;
  if (place_beside (place, PROBE_SUFFIX, &probe->place, err) < 0 ||
      remove_leftover (&probe->place, err) < 0)
    return -1;
  created = place_create (&probe->place, FILE_HOW (DIRECT_IO_OFF), &probe->file,
                          err);
  return created != 0 ? created
    : error_about (err, ERROR_FAILED, 0, probe->place.path,
                   "another iopress has just used it");
}

/* It goes whatever else happens, RESULT; returns that, or -1 with ERR. */
static int
drop (struct probe *probe, int result, struct error *err)
{
  if (probe->file.fd >= 0 &&
      place_remove (&probe->place, &probe->file, err) < 0)
    result = -1;
  file_close (&probe->file);
  return result;
}

int
probe_owner (const struct place *place, uid_t *uid, struct error *err)
{
  struct probe probe;
  struct stat st;
  int result = -1;

  if (create (place, &probe, err) >= 0) {
    result = fstat (probe.file.fd, &st);
    if (result < 0)
      error_about (err, ERROR_FAILED, errno, place->path,
                   "cannot be examined");
    *uid = st.st_uid;
  }
  return drop (&probe, result, err);
}

static int
exchange (const struct place *one, const struct place *other,
          struct error *err)
{
  if (renameat2 (one->folder, place_base (one), other->folder,
                 place_base (other), RENAME_EXCHANGE) == 0)
    return 0;
  if (errno != EINVAL && errno != ENOSYS)
    return error_about (err, ERROR_FAILED, errno, one->path,
                        "cannot be exchanged with another file");
  error_about (err, ERROR_FAILED, 0, one->path,
               "its file system cannot exchange two names");
  return error_hint (err, "save to another name without --replace");
}

int
probe_exchange (const struct place *place, const struct file *file,
                struct error *err)
{
  struct probe probe;
  int result = -1;

  if (create (place, &probe, err) >= 0 &&
      place_check (place, file, err) == 0 &&
      exchange (place, &probe.place, err) == 0 &&
      exchange (place, &probe.place, err) == 0)
    result = place_check (place, file, err);
  return drop (&probe, result, err);
}
