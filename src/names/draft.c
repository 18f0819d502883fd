/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A draft: a file that is written as NAME.part. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "names/draft.h"

/* How often another run may come first before this one gives up. */
#define ATTEMPTS 3

int
draft_open_at (const struct place *place, struct draft *draft,
               struct error *err)
{
  *draft = (struct draft) DRAFT_CLOSED;
  if (place_beside (place, "", &draft->place, err) < 0)
    return -1;
  return place_beside (place, DRAFT_SUFFIX, &draft->part, err);
}

int
draft_open (const char *path, struct draft *draft, struct error *err)
{
  *draft = (struct draft) DRAFT_CLOSED;
  if (place_open (path, &draft->place, err) < 0)
    return -1;
  return place_beside (&draft->place, DRAFT_SUFFIX, &draft->part, err);
}

/* Lock FILE for this run; two runs must not write the same one. */
static int
lock (const struct place *place, const struct file *file, struct error *err)
{
  if (file_lock (file, true, err) < 0)
    return -1;
  /* The other one may have just finished and renamed it. */
  return place_has (place, file) ? 0
    : error_about (err, ERROR_FAILED, 0, place->path,
                   "another iopress has just used it");
}

/* FILE has the name NAME.part. */
static void
begin (struct draft *draft, struct file *file)
{
  struct stat st;

  draft->file = file;
  draft->named = &draft->part;
  atomic_store (&draft->counts_links,
                fstat (file->fd, &st) == 0 && st.st_nlink > 0);
}

/* Take away what stands in the way, if nobody can want it.  It is not written
 * over: others may have it open, or have given it more names.
 */
static int
remove_leftover (struct draft *draft, const struct draft_leftover *leftover,
                 struct file_how how, struct error *err)
{
  const struct place *part = &draft->part;
  struct file file = FILE_CLOSED;
  enum place_found found;
  int result = -1;

  found = place_open_found (part, leftover->owners, true, how, &file, err);
  if (found == PLACE_NOTHING)
    result = 0;
  else if (found == PLACE_OURS && lock (part, &file, err) == 0 &&
           leftover->judge (leftover->opaque, &file, err) == 0)
    result = place_remove (part, &file, err);
  file_close (&file);
  return result < 0 ? -1 : 0;
}

int
draft_create (struct draft *draft, const struct draft_leftover *leftover,
              struct file_how how, struct file *file, struct error *err)
{
  int attempt, created;

  for (attempt = 0; attempt < ATTEMPTS; attempt++) {
    created = place_create (&draft->part, how, file, err);
    if (created > 0) {
      if (lock (&draft->part, file, err) < 0)
        return -1;
      begin (draft, file);
      return 0;
    }
    if (created < 0 || remove_leftover (draft, leftover, how, err) < 0)
      break;
  }
  return error_about (err, ERROR_FAILED, 0, draft->part.path,
                      "another iopress has just used it");
}

int
draft_create_unnamed (struct draft *draft, struct file_how how,
                      struct file *file, struct error *err)
{
  int fd = openat (draft->part.folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
                   0600);

  *file = (struct file) FILE_CLOSED;
  if (file_take_opened (fd, draft->part.path, how, file, err) < 0 ||
      file_lock (file, true, err) < 0)
    return -1;
  draft->file = file;
  return 0;
}

int
draft_give_name (struct draft *draft, struct error *err)
{
  char path[64];

  snprintf (path, sizeof path, "/proc/self/fd/%d", draft->file->fd);
  if (linkat (AT_FDCWD, path, draft->part.folder, place_base (&draft->part),
              AT_SYMLINK_FOLLOW) < 0)
    return error_about (err, ERROR_FAILED, errno, draft->part.path,
                        "cannot be created");
  begin (draft, draft->file);
  return 0;
}

/* Who may write to it may have it open, and no mode changes that. */
static int
check_writers (const struct place *part, const struct file *file,
               struct error *err)
{
  struct stat st;

  if (fstat (file->fd, &st) < 0)
    return error_about (err, ERROR_FAILED, errno, part->path,
                        "cannot be examined");
  if ((st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
    return 0;
  error_about (err, ERROR_FAILED, 0, part->path,
               "others may write to it, and may have it open");
  return error_hint (err, "chmod 600 it when nobody else has it open, then try "
                     "again");
}

enum place_found
draft_take_up (struct draft *draft, struct file_how how, struct file *file,
               struct error *err)
{
  enum place_found found = place_open_found (&draft->part, NULL, true, how,
                                             file, err);

  if (found == PLACE_OURS && (lock (&draft->part, file, err) < 0 ||
                              check_writers (&draft->part, file, err) < 0))
    return PLACE_ERROR;
  if (found == PLACE_OURS)
    begin (draft, file);
  return found;
}

int
draft_make_private (const struct draft *draft, struct error *err)
{
  struct stat st;

  if (fstat (draft->file->fd, &st) == 0 &&
      ((st.st_mode & 07777) == 0600 || fchmod (draft->file->fd, 0600) == 0))
    return 0;
  return error_about (err, ERROR_FAILED, errno, draft->part.path,
                      "cannot be made private");
}

int
draft_take_published (struct draft *draft, struct file_how how,
                      struct file *file, struct error *err)
{
  if (place_open_regular (&draft->place, true, how, file, err) < 0 ||
      file_lock (file, true, err) < 0)
    return -1;
  begin (draft, file);
  draft->named = NULL;
  return draft_check_name (draft, err);
}

int
draft_check_name (const struct draft *draft, struct error *err)
{
  if (draft->named != NULL)
    return place_check (draft->named, draft->file, err);
  return place_leads_to (&draft->place, draft->file) ? 0
    : place_check (&draft->place, draft->file, err);
}

int
draft_check_linked (const struct draft *draft, struct error *err)
{
  struct stat st;

  if (!atomic_load (&draft->counts_links))
    return 0;
  if (fstat (draft->file->fd, &st) == 0 && st.st_nlink > 0)
    return 0;
  return error_about (err, ERROR_FAILED, 0, draft->place.path,
                      "was removed while it was written");
}

void
draft_drop (struct draft *draft)
{
  struct error ignored = { 0 };

  if (draft->named != NULL)
    place_remove (draft->named, draft->file, &ignored);
  draft->named = NULL;
}

void
draft_close (struct draft *draft)
{
  draft->named = NULL;
  place_close (&draft->place);
}
