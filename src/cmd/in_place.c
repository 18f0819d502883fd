/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening a file that is to be changed under its name. */

#include <config.h>

#include <string.h>
#include <sys/stat.h>

#include "cmd/in_place.h"

/* How often it may be replaced while it is being opened. */
#define ATTEMPTS 5

static int
refuse (const char *name, enum error_kind kind, const char *what,
        struct error *err)
{
  error_set (err, kind, 0, "%s", what);
  return error_subject (err, name);
}

/* Whether FILE, locked now, still has its name; its size may be another since
 * it was opened.
 */
static bool
is_named (struct file *file)
{
  struct stat opened, named;

  if (fstat (file->fd, &opened) < 0 || stat (file->name, &named) < 0)
    return false;
  file->size = (uint64_t) opened.st_size;
  return opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* A run of save --replace may be about to give the name to its image. */
static int
open_file (const char *name, enum direct_io direct, struct file *file,
           struct error *err)
{
  struct error ignored = { 0 };
  int attempt;

  for (attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (file_open (name, FILE_UPDATE, direct, file, err) < 0)
      return -1;
    if (!file->regular)
      return refuse (name, ERROR_USAGE, "is not a regular file, as expand "
                     "needs", err);
    if (file_lock (file, true, err) < 0)
      return -1;
    if (is_named (file))
      return 0;
    file_close (file, &ignored);
  }
  return refuse (name, ERROR_FAILED, "is being replaced all the time", err);
}

int
in_place_open (const char *name, enum direct_io direct, struct file *file,
               struct file *head, struct error *err)
{
  if (file_descriptor_of (name) >= 0 || strcmp (name, "-") == 0)
    return refuse (name, ERROR_USAGE, "is not a path, as expand needs", err);
  if (open_file (name, direct, file, err) < 0 ||
      file_open (name, FILE_UPDATE, DIRECT_IO_OFF, head, err) < 0)
    return -1;
  if (file_same (file, head))
    return 0;
  return refuse (name, ERROR_FAILED, "was replaced", err);
}
