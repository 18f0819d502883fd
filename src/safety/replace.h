/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image takes the name and the place of its source (save --replace).
 *
 * The image is written as SOURCE.part.  When it is whole and durable the two
 * change names in one step of the file system, and then the source, which is
 * SOURCE.part now, is removed:
 *
 *   SOURCE        SOURCE.part          next
 *   -----------   ------------------   -------------------------------
 *   the source    none                 pack
 *   the source    unfinished image     remove it, pack again
 *   the source    the image            the same, once it has been compared
 *   the image     the source           compare, then remove SOURCE.part
 *   the image     none                 nothing
 *
 * So SOURCE always leads to a whole file, and there is none when somebody has
 * removed it meanwhile: an exchange needs both names.
 */

#ifndef IOPRESS_SAFETY_REPLACE_H
#define IOPRESS_SAFETY_REPLACE_H

#include "image/image_input.h"
#include "names/draft.h"

/* What is replaced.  All stays the caller's. */
struct replace {
  struct file *source;         /* open under its name */
  struct image_options options;        /* for the images that are found */
  /* For replace_publish: what the source was like when it was opened, and the
   * length of the prefix that it has in common with the image.
   */
  const struct file_state *before;
  uint64_t prefix_bytes;
};

/* Refuse a PATH of which not just that name can get the image, or whose image
 * could not be expanded under it.  Returns 0, or -1 with ERR.
 */
int replace_check (const char *path, struct error *err);

/* For struct draft_leftover, with a struct replace as OPAQUE: whether FILE,
 * found as SOURCE.part, may go.  A finished image of the source may, too: all
 * it has is in that, which says what belongs before it.
 */
int replace_judge (void *opaque, struct file *file, struct error *err);

/* Refuse to go on when SOURCE, which is being packed, does not have its name
 * PLACE any more.  Returns 0, or -1 with ERR.
 */
int replace_check_name (const struct place *place, const struct file *source,
                        struct error *err);

/* DRAFT, created beside the source, has the whole image: make it durable, let
 * it have the name of the source with owner, mode and attributes, and remove
 * the source, which must be as it was.  Returns 0, and in LEFT why the source
 * could not be removed, if so: the next run does that, too; or -1 with ERR and
 * the source under its name, unless somebody else has changed that.
 */
int replace_publish (struct draft *draft, const struct replace *replace,
                     struct error *left, struct error *err);

/* Finish what an earlier run has left when PATH is an image already: when
 * PATH.part is what the image was made of, remove it; else STAYS gets why it
 * stays, as a text with PATH.part as its subject.  Returns 1; 0 when PATH is no
 * image; -1 with ERR.
 */
int replace_is_done (const char *path, const struct image_options *options,
                     struct error *stays, struct error *err);

#endif /* IOPRESS_SAFETY_REPLACE_H */
