/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A draft: a file that is written as NAME.part, and gets its name when it is
 * whole.
 *
 * It is made by this run, and nothing is ever written into a file that was
 * there before, except what --resume goes on with; it is locked against other
 * runs.
 * To publish it is one protocol with three last steps:
 *
 *   flush the file; before another loses its name flush the folder; NAME.part
 *   is still its name; the last step; NAME is its name; flush the folder, or
 *   take the step back
 */

#ifndef IOPRESS_NAMES_DRAFT_H
#define IOPRESS_NAMES_DRAFT_H

#include <stdatomic.h>

#include "names/place.h"

#define DRAFT_SUFFIX ".part"

/* The last step of publishing. */
enum draft_way {
  DRAFT_NEW,                   /* nothing may have the name */
  DRAFT_OVER,                  /* what has the name loses it */
  DRAFT_EXCHANGED,             /* what has the name is called NAME.part */
};

/* Initialise with DRAFT_CLOSED; ends with draft_close.  One thread changes it;
 * any may ask.
 */
struct draft {
  struct place place;          /* the name that it is to get */
  struct place part;           /* NAME.part, in the same folder */
  const struct place *named;   /* the one that it has, to be removed when it is
                                * dropped; NULL: none is */
  struct file *file;           /* its file, the caller's */
  atomic_bool counts_links;    /* the file system counts its names */
  bool name_taken;             /* another file has the name, and keeps it */
};

#define DRAFT_CLOSED { .place = PLACE_CLOSED, .part = PLACE_CLOSED }

/* Open the place PATH for a draft.  Nothing is looked at.  Returns 0, or -1
 * with ERR.  Call draft_close in both cases.
 */
int draft_open (const char *path, struct draft *draft, struct error *err);

/* The same for PLACE, whose folder must outlive the draft. */
int draft_open_at (const struct place *place, struct draft *draft,
                   struct error *err);

/* What a run does with what stands under NAME.part. */
struct draft_leftover {
  /* Whether nobody can want what FILE holds, which is ours and locked.  Returns
   * 0, or -1 with ERR.
   */
  int (*judge) (void *opaque, struct file *file, struct error *err);
  void *opaque;
  const struct place_owners *owners;   /* or NULL */
};

/* Create FILE, which stays the caller's, as NAME.part.  What an earlier run
 * left there goes if LEFTOVER says so.  Returns 0; or -1 with ERR and nothing
 * changed, but that a leftover may be gone.
 */
int draft_create (struct draft *draft, const struct draft_leftover *leftover,
                  struct file_how how, struct file *file,
                  struct error *err);

/* Create FILE, which stays the caller's, without a name: it is gone with its
 * last descriptor unless draft_give_name is called.  Returns 0; or -1 with ERR,
 * also where the file system has no such files.
 */
int draft_create_unnamed (struct draft *draft, struct file_how how,
                          struct file *file, struct error *err);

/* Give one without a name, before it is published, the name NAME.part, which
 * nothing may have.  Returns 0, or -1 with ERR and nothing changed.
 */
int draft_give_name (struct draft *draft, struct error *err);

/* Go on with what an earlier run left under NAME.part: open and lock it as
 * FILE, which stays the caller's.  Nothing is changed; before anything is
 * written to it see what it is, and call draft_make_private.  One that others
 * than its owner may write to is an error.
 */
enum place_found draft_take_up (struct draft *draft, struct file_how how,
                                struct file *file, struct error *err);

/* Give the file the mode 0600.  Returns 0, or -1 with ERR. */
int draft_make_private (const struct draft *draft, struct error *err);

/* The same as draft_take_up when it has the name NAME already, or that leads to
 * it through a link.  Returns 0, or -1 with ERR.
 */
int draft_take_published (struct draft *draft, struct file_how how,
                          struct file *file, struct error *err);

/* A kill during DRAFT_NEW can leave one file with both names: then take
 * NAME.part away.  Returns 0, or -1 with ERR.
 */
int draft_finish_naming (struct draft *draft, struct error *err);

/* Asked before an exchange and once more after it, before it is made durable:
 * whether what has the name WHERE may be exchanged.  Returns 0, or -1 with ERR.
 */
struct draft_check {
  int (*check) (void *opaque, const struct place *where, struct error *err);
  void *opaque;
};

/* Make the file durable and give it the name; CHECK is for DRAFT_EXCHANGED,
 * else NULL.  Returns 0; or -1 with ERR: unless somebody interfered what had
 * the name has it still, but after DRAFT_OVER the draft has it when the folder
 * could not be flushed then.
 */
int draft_publish (struct draft *draft, enum draft_way way,
                   const struct draft_check *check, struct error *err);

/* Refuse to go on when the name that it has now is not its any more.  Returns
 * 0, or -1 with ERR.
 */
int draft_check_name (const struct draft *draft, struct error *err);

/* Refuse to go on when it has no name left at all, and would be gone with its
 * last descriptor, as far as the file system tells.  Returns 0, or -1 with ERR.
 */
int draft_check_linked (const struct draft *draft, struct error *err);

/* Take its name away, if it is still its own and not published. */
void draft_drop (struct draft *draft);

/* Forget it, and leave what it has; a second call does nothing. */
void draft_close (struct draft *draft);

#endif /* IOPRESS_NAMES_DRAFT_H */
