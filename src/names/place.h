/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A place: a name in an open folder.
 *
 * Anybody who may write to the folder may change what a name leads to, at any
 * instant, and other names lead to the folder itself.  So the folder is opened
 * once, every question about a name and every change of it goes through that
 * descriptor, and what counts is the file that was opened, not its name.
 */

#ifndef IOPRESS_NAMES_PLACE_H
#define IOPRESS_NAMES_PLACE_H

#include <sys/stat.h>

#include "io/file.h"

#define PLACE_PATH_BYTES 4096

/* Initialise with PLACE_CLOSED; ends with place_close.  One thread changes it;
 * any may ask.
 */
struct place {
  int folder;                  /* a descriptor, or -1 when closed */
  bool owned;                  /* close it when done */
  size_t base;                 /* where in PATH the name in the folder begins */
  char path[PLACE_PATH_BYTES]; /* as the command line says it, for messages */
};

#define PLACE_CLOSED { .folder = -1 }

/* Make PLACE the name PATH, which need not lead to anything, and open its
 * folder.  Returns 0, or -1 with ERR.
 */
int place_open (const char *path, struct place *place, struct error *err);

/* The same for NAME in the open folder FOLDER, which it takes over.  Returns 0,
 * or -1 with ERR and FOLDER closed.
 */
int place_take_folder (int folder, const char *name, struct place *place,
                       struct error *err);

/* Close the folder; a second call does nothing. */
void place_close (struct place *place);

/* Make BESIDE the name of PLACE with SUFFIX behind it, in the same folder,
 * which stays PLACE's and must outlive it.  Returns 0, or -1 with ERR when it
 * is too long.
 */
int place_beside (const struct place *place, const char *suffix,
                  struct place *beside, struct error *err);

/* The name in the folder. */
const char *place_base (const struct place *place);

/* What has the name, a link as such.  Returns 1 with *ST, 0 when nothing has
 * it, or -1 with ERR.
 */
int place_look (const struct place *place, struct stat *st,
                struct error *err);

/* Whether the name is FILE's, and no symbolic link to it. */
bool place_has (const struct place *place, const struct file *file);

/* Whether the name leads to FILE, through a link or not. */
bool place_leads_to (const struct place *place, const struct file *file);

/* Refuse to go on with FILE, which is being written, when the name is not its
 * any more.  Returns 0, or -1 with ERR.
 */
int place_check (const struct place *place, const struct file *file,
                 struct error *err);

/* Remove the name if it is FILE's.  Returns 1; 0 when it is not, and stays; -1
 * with ERR.
 */
int place_remove (const struct place *place, const struct file *file,
                  struct error *err);

/* Make the names in the folder durable.  Returns 0, or -1 with ERR. */
int place_sync (const struct place *place, struct error *err);

/* Refuse what has the name when a process has it open for writing; as
 * file_check_writers.
 */
int place_check_writers (const struct place *place, struct error *err);

/* What stands under a name that was derived or found. */
enum place_found {
  PLACE_ERROR = -1,            /* it cannot be told, or opened: with ERR */
  PLACE_NOTHING,
  PLACE_FOREIGN,               /* nothing that we left there: with ERR */
  PLACE_OURS,                  /* it is open */
};

/* Who else than the effective user may own what is ours. */
struct place_owners {
  const struct file *like;     /* whoever owns this, or NULL */
  bool folder;                 /* whoever owns the folder */
};

/* Open, for reading or, if UPDATE, for writing as well, what an earlier run
 * left under the name: the only way to open a file that was not named by the
 * caller.  Links are not followed, and nothing waits.  It must be a regular
 * file with no second name that belongs to the effective user, or to whom files
 * belong that are created there (over a network or by a mount option root's are
 * another's), or to one of OWNERS, which may be NULL.  Close FILE in all cases.
 */
enum place_found place_open_found (const struct place *place,
                                   const struct place_owners *owners,
                                   bool update, struct file_how how,
                                   struct file *file, struct error *err);

/* Create a file under the name, which nothing has, for reading and writing,
 * with mode 0600.  It is ours, whoever it belongs to.  Returns 1; 0 when
 * something has the name; -1 with ERR.  Close FILE in all cases.
 */
int place_create (const struct place *place, struct file_how how,
                  struct file *file, struct error *err);

/* Open the regular file that the caller named, for update; through a symbolic
 * link only if FOLLOW.  Nothing waits.  Returns 0, or -1 with ERR (ERROR_USAGE
 * when it is something else).  Close FILE in both cases.
 */
int place_open_regular (const struct place *place, bool follow,
                        struct file_how how, struct file *file,
                        struct error *err);

/* What the caller's name leads to, through links, without opening it for use: a
 * descriptor (O_PATH) for file_open_node, or -1 with errno.
 */
int place_find (const struct place *place);

#endif /* IOPRESS_NAMES_PLACE_H */
