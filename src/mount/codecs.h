/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The codecs of a mount: each loaded once, whatever images name it. */

#ifndef IOPRESS_MOUNT_CODECS_H
#define IOPRESS_MOUNT_CODECS_H

#include "plugin/loader.h"

struct codecs;

/* They come from FOLDER (NULL: the compiled-in one), which must outlive them.
 * Returns NULL with errno.
 */
struct codecs *codecs_new (const char *folder);

/* Unload them all; NULL is ignored. */
void codecs_free (struct codecs *codecs);

/* *CODEC is that of NAME, loaded where it is not yet, and NULL for "stored".
 * Stays the list's.  Any thread.  Returns 0, or -1 with ERR.
 */
int codecs_find (struct codecs *codecs, const char *name,
                 const struct codec **codec, struct error *err);

#endif /* IOPRESS_MOUNT_CODECS_H */
