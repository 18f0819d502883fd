/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the discard protocol does to the image and to the source.
 *
 * Invariants, each held at one place in discard.c:
 *   1.  Nothing before source offset X is punched, and the marker does not say
 *      X, unless every record of the windows before X has been written and
 *      made durable, and so has the name of the image.
 *   2.  Nothing before X is punched unless a marker that says X or more is
 *      durable in the source.
 *   3.  X only grows, and the marker's own page goes last of all, after the
 *      rest is durably gone and the finished image durably has its name
 *      (consume_finish).
 * So at any instant every page is in the source or in a durable record, and
 * what is left of a source tells which image has the rest.
 */

#ifndef IOPRESS_SAFETY_DISCARD_H
#define IOPRESS_SAFETY_DISCARD_H

#include "format/file_header.h"
#include "names/draft.h"

/* What is left of a source: exit status and hint follow from it. */
enum source_left {
  SOURCE_WHOLE,                /* all of it */
  SOURCE_UNKNOWN,              /* nothing that was read says whether some of
                                * it is gone */
  SOURCE_PARTLY_GONE,          /* some of it is, or may be, in the image only */
};

/* One thread at a time. */
struct discard;

struct discard_options {
  struct file *source;         /* open for update */
  struct file *output;         /* the image */
  const struct draft *draft;   /* its name, or NULL for a descriptor */
  /* What the source was like before it was looked at; NULL: whoever passed it
   * answers for what others do to it.
   */
  const struct file_state *before;
  const struct file_header *header;
  enum source_left *left;      /* what is known; set before anything goes */
};

/* Find out whether blocks of the source can be given back, before anything is
 * changed.  Everything stays the caller's.  Returns 0, or -1 with ERR.
 */
int discard_open (const struct discard_options *options,
                  struct discard **discard, struct error *err);

/* Free; NULL is ignored. */
void discard_close (struct discard *discard);

/* Make durable what has been written of the image, and its name.  The kernel
 * tells one flush of a lost write: nobody else may flush the image at the same
 * time.  Returns 0, or -1 with ERR.
 */
int discard_sync_image (struct discard *discard, struct error *err);

/* Refuse a source of which nothing is gone and that is not as it was.  Returns
 * 0, or -1 with ERR.
 */
int discard_check_source (const struct discard *discard, struct error *err);

/* Give back the source up to byte X, but for the marker's page; the records of
 * what stands before X have been written.  The first time the source must be as
 * it was.  Returns 0, or -1 with ERR.
 */
int discard_up_to (struct discard *discard, uint64_t x, struct error *err);

/* After discard_up_to the end, when the finished image durably has its name:
 * give back the marker's page, too, and whatever is left of blocks that no
 * punch before had a whole of.  Returns 0, or -1 with ERR.
 */
int discard_finish (struct discard *discard, struct error *err);

#endif /* IOPRESS_SAFETY_DISCARD_H */
