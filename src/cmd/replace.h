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

#ifndef IOPRESS_CMD_REPLACE_H
#define IOPRESS_CMD_REPLACE_H

#include "cmd/options.h"
#include "cmd/output.h"

/* Refuse a PATH of which not just that name can get the image, or whose image
 * could not be expanded under it.  Returns 0, or -1 with ERR.
 */
int replace_check (const char *path, struct error *err);

/* Open PATH.part as OUTPUT, for an image that will take the place of PATH, which
 * is open as SOURCE.  Refuses where names cannot be exchanged.  Returns 0, or -1
 * with ERR and nothing changed, but that a leftover nobody can want may be gone.
 */
int replace_open (const char *path, const struct common_options *common,
                  struct file *source, struct output *output,
                  struct error *err);

/* In place of output_commit: OUTPUT, from replace_open, is whole; make it durable,
 * let it have the name of SOURCE with owner, mode and attributes, and remove
 * SOURCE, which must be as it was in the state BEFORE, with the same PREFIX_BYTES
 * as the image.  Returns 0; or -1 with ERR and SOURCE under its name, unless
 * somebody else has changed that.  Call output_abandon in both cases.
 */
int replace_commit (struct output *output, const struct file *source,
                    const struct file_state *before, uint64_t prefix_bytes,
                    struct error *err);

/* Finish what an earlier run has left when PATH is an image already: when
 * PATH.part is what the image was made of, remove it.  Returns 1; 0 when PATH
 * is no image; -1 with ERR.
 */
int replace_is_done (const char *path, const struct common_options *common,
                     struct error *err);

#endif /* IOPRESS_CMD_REPLACE_H */
