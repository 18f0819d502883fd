/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of codecs: in files, in folders and on the command line. */

#ifndef IOPRESS_UTIL_NAME_H
#define IOPRESS_UTIL_NAME_H

#include <stdbool.h>

/* Whether NAME, NUL-terminated, is a codec name: [a-z0-9-]{1,15}.  So it cannot
 * leave the folder it is looked up in.
 */
bool codec_name_valid (const char *name);

/* Names that mean something else, so that no plugin can have them: windows as
 * they are, and the default codec at levels that follow the run.
 */
#define CODEC_STORED "stored"
#define CODEC_AUTO "auto"

/* Whether NAME is one of those. */
bool codec_name_reserved (const char *name);

#endif /* IOPRESS_UTIL_NAME_H */
