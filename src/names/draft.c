/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A draft: a file that is written as NAME.part. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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
  struct error ignored = { 0 };
  struct file file = FILE_CLOSED;
  enum place_found found;
  int result = -1;

  found = place_open_found (part, leftover->owners, true, how, &file, err);
  if (found == PLACE_NOTHING)
    result = 0;
  else if (found == PLACE_OURS && lock (part, &file, err) == 0 &&
           leftover->judge (leftover->opaque, &file, err) == 0)
    result = place_remove (part, &file, err);
  file_close (&file, &ignored);
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

/* Whether both are names of one regular file. */
static bool
are_links (const struct place *one, const struct place *other)
{
  struct error ignored = { 0 };
  struct stat first, second;

  return place_look (one, &first, &ignored) > 0 &&
    place_look (other, &second, &ignored) > 0 &&
    S_ISREG (first.st_mode) && first.st_nlink > 1 &&
    first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

int
draft_finish_naming (struct draft *draft, struct error *err)
{
  const struct place *part = &draft->part;

  if (!are_links (part, &draft->place) ||
      unlinkat (part->folder, place_base (part), 0) == 0 || errno == ENOENT)
    return 0;
  return error_about (err, ERROR_FAILED, errno, part->path,
                      "cannot be removed");
}

/* The second step of rename_by_link: both names lead to the file.  Over a
 * network each can have an inode number of its own, and links are not counted.
 * Who looks at both names meanwhile may have taken the first away already.
 */
static int
drop_first_name (struct draft *draft)
{
  struct error err = { 0 }, ignored = { 0 };

  if (place_has (&draft->part, draft->file) &&
      !place_has (&draft->place, draft->file))
    atomic_store (&draft->counts_links, false);
  if (place_remove (&draft->part, draft->file, &err) >= 0)
    return 0;
  place_remove (&draft->place, draft->file, &ignored);
  errno = err.errnum;
  return -1;
}

static int
rename_part (const struct draft *draft, unsigned int flags)
{
  int folder = draft->place.folder;

  return renameat2 (folder, place_base (&draft->part), folder,
                    place_base (&draft->place), flags);
}

/* rename where nothing has the name, on a file system that cannot look at that
 * itself.  A second name is given only to what is not there; some cannot even
 * do that.
 */
static int
rename_by_link (struct draft *draft)
{
  int folder = draft->place.folder;
  struct error unknown = { 0 };
  struct stat st;
  int there;

  /* Over a network it may have been done, and the answer lost. */
  if (linkat (folder, place_base (&draft->part), folder,
              place_base (&draft->place), 0) == 0 ||
      (errno == EEXIST && are_links (&draft->part, &draft->place)))
    return drop_first_name (draft);
  if (errno == EEXIST || errno == ENOENT)
    return -1;
  there = place_look (&draft->place, &st, &unknown);
  if (there != 0) {
    errno = there > 0 ? EEXIST : unknown.errnum;
    return -1;
  }
  return rename_part (draft, 0);
}

static int
publish_new (struct draft *draft, struct error *err)
{
  int result = rename_part (draft, RENAME_NOREPLACE);

  if (result < 0 && (errno == EINVAL || errno == ENOSYS))
    result = rename_by_link (draft);
  if (result == 0) {
    /* Until the folder is flushed the name is one to be taken back. */
    draft->named = &draft->place;
    return 0;
  }
  result = errno;
  error_about (err, ERROR_FAILED, result, draft->place.path,
               "cannot be created");
  return result != EEXIST ? -1
    : error_hint (err, "it came meanwhile and is not overwritten: move it "
                  "away and try again");
}

static int
publish_over (struct draft *draft, struct error *err)
{
  if (rename_part (draft, 0) < 0)
    return error_about (err, ERROR_FAILED, errno, draft->place.path,
                        "cannot get its final name");
  draft->named = NULL;
  return 0;
}

static int
exchange (struct draft *draft, struct error *err)
{
  if (rename_part (draft, RENAME_EXCHANGE) == 0)
    return 0;
  return errno == ENOENT
    ? error_about (err, ERROR_FAILED, 0, draft->place.path,
                   "was removed while it was packed")
    : error_about (err, ERROR_FAILED, errno, draft->place.path,
                   "cannot be replaced by its image");
}

/* Give both files their old names.  Whatever is called NAME.part then is kept
 * unless it is the draft.
 */
static void
take_back (struct draft *draft, struct error *err)
{
  struct error ignored = { 0 };

  draft->named = NULL;
  if (exchange (draft, &ignored) == 0 &&
      place_has (&draft->part, draft->file))
    draft->named = &draft->part;
  else
    error_hint (err, "what had this name is %s now", draft->part.path);
}

/* After the last step.  Another one may have got the name; or this has yet
 * another already.  Where links are not counted the step itself has to do.
 */
static int
check_named (const struct draft *draft, struct error *err)
{
  return place_has (&draft->place, draft->file) ? 0
    : draft_check_linked (draft, err);
}

static int
publish_exchanged (struct draft *draft, const struct draft_check *check,
                   struct error *err)
{
  if (check->check (check->opaque, &draft->place, err) < 0 ||
      place_check (&draft->part, draft->file, err) < 0 ||
      exchange (draft, err) < 0)
    return -1;
  if (place_check (&draft->place, draft->file, err) < 0 ||
      check->check (check->opaque, &draft->part, err) < 0 ||
      place_sync (&draft->place, err) < 0) {
    take_back (draft, err);
    return -1;
  }
  draft->named = NULL;
  return 0;
}

/* DRAFT_NEW and DRAFT_OVER. */
static int
publish_named (struct draft *draft, enum draft_way way, struct error *err)
{
  if (place_check (&draft->part, draft->file, err) < 0 ||
      (way == DRAFT_NEW ? publish_new (draft, err)
       : publish_over (draft, err)) < 0 ||
      place_sync (&draft->place, err) < 0)
    return -1;
  draft->named = NULL;
  return check_named (draft, err);
}

int
draft_publish (struct draft *draft, enum draft_way way,
               const struct draft_check *check, struct error *err)
{
  struct file *file = draft->file;
  bool exchanged = way == DRAFT_EXCHANGED;

  /* An exchanged one has been given owner and mode, too. */
  if ((exchanged ? file_sync_whole (file, err) : file_sync (file, err)) < 0 ||
      file_check_close (file, err) < 0)
    return -1;
  if (!file->direct)
    file_drop_cache (file, 0, 0);
  /* What cannot be flushed is found out before anything loses its name. */
  if (way != DRAFT_NEW && place_sync (&draft->place, err) < 0)
    return -1;
  return exchanged ? publish_exchanged (draft, check, err)
    : publish_named (draft, way, err);
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
