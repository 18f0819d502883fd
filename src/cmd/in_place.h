/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening a file that is to be changed under its name. */

#ifndef IOPRESS_CMD_IN_PLACE_H
#define IOPRESS_CMD_IN_PLACE_H

#include "io/file.h"

/* Open the regular file NAME, a path, for update: as FILE, locked against other
 * iopress processes and with the size that it has then, and as HEAD, through
 * the page cache.  Returns 0, or -1 with ERR; close both in both cases.
 */
int in_place_open (const char *name, enum direct_io direct, struct file *file,
                   struct file *head, struct error *err);

#endif /* IOPRESS_CMD_IN_PLACE_H */
