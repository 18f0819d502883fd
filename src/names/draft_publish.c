/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A draft gets its name: one protocol with three last steps. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "names/draft.h"

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
drop_first_name (struct draft *draft, struct error *err)
{
  struct error ignored = { 0 };

  if (place_has (&draft->part, draft->file) &&
      !place_has (&draft->place, draft->file))
    atomic_store (&draft->counts_links, false);
  if (place_remove (&draft->part, draft->file, err) >= 0)
    return 0;
  place_remove (&draft->place, draft->file, &ignored);
  return -1;
}

static int
rename_part (const struct draft *draft, unsigned int flags)
{
  int folder = draft->place.folder;

  return renameat2 (folder, place_base (&draft->part), folder,
                    place_base (&draft->place), flags);
}

/* The name could not be given, by errno. */
static int
fail_new (struct draft *draft, struct error *err)
{
  draft->name_taken = errno == EEXIST;
  error_about (err, ERROR_FAILED, errno, draft->place.path,
               "cannot be created");
  return !draft->name_taken ? -1
    : error_hint (err, "it came meanwhile and is not overwritten: move it "
                  "away and try again");
}

/* rename where nothing has the name, on a file system that cannot look at that
 * itself.  A second name is given only to what is not there; some cannot even
 * do that.
 */
static int
rename_by_link (struct draft *draft, struct error *err)
{
  int folder = draft->place.folder;
  struct stat st;
  int there;

  /* Over a network it may have been done, and the answer lost. */
  if (linkat (folder, place_base (&draft->part), folder,
              place_base (&draft->place), 0) == 0 ||
      (errno == EEXIST && are_links (&draft->part, &draft->place)))
    return drop_first_name (draft, err);
  if (errno == EEXIST || errno == ENOENT)
    return fail_new (draft, err);
  there = place_look (&draft->place, &st, err);
  if (there < 0)
    return -1;
  if (there == 0 && rename_part (draft, 0) == 0)
    return 0;
  errno = there > 0 ? EEXIST : errno;
  return fail_new (draft, err);
}

static int
publish_new (struct draft *draft, struct error *err)
{
  if (rename_part (draft, RENAME_NOREPLACE) < 0 &&
      (errno == EINVAL || errno == ENOSYS
       ? rename_by_link (draft, err) : fail_new (draft, err)) < 0)
    return -1;
  /* Until the folder is flushed the name is one to be taken back. */
  draft->named = &draft->place;
  return 0;
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
