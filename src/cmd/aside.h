/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The aside: the copy of an image that expand puts beside it, under the name
 * FILE.packed-XXXXXXXX, eight digits of the image's id.
 */

#ifndef IOPRESS_CMD_ASIDE_H
#define IOPRESS_CMD_ASIDE_H

#include "format/format.h"
#include "io/file.h"

#define ASIDE_PATH_BYTES 4096

/* The name of the aside of FILE, an image with IMAGE_ID.  Returns 0, or -1 with
 * ERR when it is too long.
 */
int aside_name (const char *file, const uint8_t image_id[IMAGE_ID_BYTES],
                char path[ASIDE_PATH_BYTES], struct error *err);

/* Whether FILE's name leaves room for that of an aside and of its .part. */
bool aside_name_fits (const char *file);

/* The names beside FILE that are those of asides: a NULL-terminated list of
 * paths, freed with aside_names_free, or NULL with ERR.
 */
char **aside_names (const char *file, struct error *err);
void aside_names_free (char **names);

/* Make PATH a durable copy of the image FILE, whose prefix has PREFIX_BYTES.
 * What an earlier run has left of it is used when it is the same from there
 * on; anything else that has the name is an error.  Returns 0, or -1 with ERR.
 */
int aside_make (const char *path, struct file *file, uint64_t prefix_bytes,
                enum direct_io direct, struct error *err);

/* Remove it; a failure is told of and does not matter. */
void aside_remove (const char *path);

#endif /* IOPRESS_CMD_ASIDE_H */
