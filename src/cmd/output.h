/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OUTPUT as the command line names it, and its way to its final name. */

#ifndef IOPRESS_CMD_OUTPUT_H
#define IOPRESS_CMD_OUTPUT_H

#include "names/draft.h"

/* What the output will be; decides what may be overwritten. */
enum output_kind {
  OUTPUT_IMAGE,                /* save */
  OUTPUT_SOURCE,               /* restore */
};

/* What a run asks of its output. */
struct output_how {
  enum output_kind kind;
  bool force;                  /* it may take the place of another file */
  struct file_how file;
};

/* Initialise with OUTPUT_CLOSED; ends with output_keep or output_abandon. */
struct output {
  struct file file;
  const char *path;            /* the final name, or NULL for a descriptor */
  const char *part;            /* PATH.part while that is its name, or "" */
  struct draft draft;          /* of a regular file with a path */
  bool force;                  /* as in struct output_how */
  bool committed;              /* it is durable and has its name */
};

#define OUTPUT_CLOSED { .file = FILE_CLOSED, .part = "", .draft = DRAFT_CLOSED }

/* Open NAME for writing, which must not be INPUT itself.  A path that does not
 * exist, or with HOW's force one that does, is written as PATH.part, locked for
 * the time of the run; devices and pipes are written directly; "fd:N" is
 * emptied; "-" is a stream.  NAME must outlive OUTPUT.  Returns 0, or -1 with
 * ERR and nothing changed, but that a leftover nobody can want may be gone.
 */
int output_open (const char *name, struct output_how how,
                 const struct file *input, struct output *output,
                 struct error *err);

/* Open a file without a name in FOLDER, which is gone when its last descriptor
 * is closed.  Returns 0, or -1 with ERR.
 */
int output_open_unnamed (const char *folder, struct file_how how,
                         struct output *output, struct error *err);

/* Open PATH.part for an image that will take the place of PATH, which is INPUT.
 * LEFTOVER says what may stand there.  Returns 0, or -1 with ERR and nothing
 * changed, as above.
 */
int output_open_beside (const char *path, struct file_how how,
                        const struct file *input,
                        const struct draft_leftover *leftover,
                        struct output *output, struct error *err);

/* Open what an earlier run left of the output NAME, for update and with its
 * bytes: PATH.part, or PATH when it had its name already, or the descriptor;
 * it must not be INPUT.  A PATH.part is refused while there is a PATH, unless
 * HOW has force, and when it is no file of ours.  Nothing is changed: before
 * anything is written see what it is, and call output_make_private.  Returns 1;
 * 0 when there is nothing; -1 with ERR.
 */
int output_reopen (const char *name, struct output_how how,
                   const struct file *input, struct output *output,
                   struct error *err);

/* Its draft, for others to ask about its name; NULL for what has none. */
const struct draft *output_draft (const struct output *output);

/* Let nobody else read what was opened so.  Returns 0, or -1 with ERR. */
int output_make_private (const struct output *output, struct error *err);

/* Whether its file still has the name that it was given, if any. */
bool output_is_there (const struct output *output);

/* Close it and leave it as it is: it may hold the only copy. */
void output_keep (struct output *output);

/* Make everything durable and give it its name; it stays open.  Returns 0, or
 * -1 with ERR.  Call output_abandon in both cases.
 */
int output_commit (struct output *output, struct error *err);

/* Close it.  Without a commit remove or empty what has been written. */
void output_abandon (struct output *output);

#endif /* IOPRESS_CMD_OUTPUT_H */
