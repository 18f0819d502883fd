/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that is to be changed under its name. */

#ifndef IOPRESS_SAFETY_IN_PLACE_H
#define IOPRESS_SAFETY_IN_PLACE_H

#include "image/content.h"
#include "names/place.h"

/* Open the regular file NAME, a path and no symbolic link, for update: as FILE,
 * locked against other iopress processes and with the size that it has then,
 * and as HEAD, through the page cache; its name is PLACE.  Returns 0, or -1
 * with ERR; close all three in both cases.
 */
int in_place_open (const char *name, struct file_how how,
                   struct place *place, struct file *file, struct file *head,
                   struct error *err);

/* What FILE is when nothing was put aside: *KIND.  Returns 1 when it is an
 * image, 0 when it is a save that is whole as it is, or -1 with ERR.
 */
int in_place_examine (const struct file *file, enum content_kind *kind,
                      struct error *err);

#endif /* IOPRESS_SAFETY_IN_PLACE_H */
