/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an earlier run left in NAME.part, and whether anybody can want it. */

#ifndef IOPRESS_CMD_LEFTOVER_H
#define IOPRESS_CMD_LEFTOVER_H

#include "io/file.h"

/* Whether FILE is nothing that anybody can want where an image is to be written:
 * empty, zeros (a power cut leaves the size and no byte), or an unfinished image
 * whose source was left whole; one that came through a mount has none.  Returns
 * 1, 0, or -1 with ERR.
 */
int leftover_of_save (struct file *file, struct error *err);

/* The same where a source is to be written: bytes of a restore that did not end
 * look like any others, and are replaced when the caller wants that, FORCE; but
 * neither an image, nor what has lost a part of itself to one, nor a whole save
 * file.
 */
int leftover_of_restore (struct file *file, bool force, struct error *err);

/* Refuse to overwrite it.  Returns -1. */
int leftover_refuse (struct file *file, struct error *err);

#endif /* IOPRESS_CMD_LEFTOVER_H */
