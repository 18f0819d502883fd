/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an earlier run left in NAME.part, and whether anybody can want it. */

#ifndef IOPRESS_SAFETY_LEFTOVER_H
#define IOPRESS_SAFETY_LEFTOVER_H

#include "io/file.h"

/* Whether FILE is nothing that anybody can want where an image is to be
 * written: empty, zeros (a power cut leaves the size and no byte), or an
 * unfinished image whose source was left whole; one that came through a mount
 * has none.  Returns 1, 0, or -1 with ERR.
 */
int leftover_of_save (const struct file *file, struct error *err);

/* The same where a source is to be written: bytes of a restore that did not end
 * look like any others, and are replaced when the caller wants that, FORCE; but
 * neither an image, nor what has lost a part of itself to one, nor a whole save
 * file.
 */
int leftover_of_restore (const struct file *file, bool force,
                         struct error *err);

/* Whether FILE may be emptied by a run that has written nothing: there is no
 * image in it, whole or damaged, no single record of one, no marker, and
 * nothing that may be a whole save.  Reads all of it.  Returns 1, 0, or -1 with
 * ERR.
 */
int leftover_is_foreign (const struct file *file, struct error *err);

/* Refuse to replace the regular file that FD, called NAME, has open when it is
 * half of an only copy: it has a marker, or is an unfinished image whose source
 * was being consumed; or all of one: the image of what INPUT, which is to take
 * its place, was before it was given back and something was written to it.
 * ACCESS is FILE_READ for a descriptor from place_find, FILE_UPDATE for one to
 * write to; what has bytes that cannot be read is refused.  Returns 0, or -1
 * with ERR.
 */
int leftover_check_replaced (int fd, const char *name,
                             enum file_access access,
                             const struct file *input, struct error *err);

/* Refuse to overwrite it.  Returns -1. */
int leftover_refuse (const struct file *file, struct error *err);

#endif /* IOPRESS_SAFETY_LEFTOVER_H */
