/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose code may run with our privileges: names, folders and files. */

#ifndef IOPRESS_PLUGIN_TRUST_H
#define IOPRESS_PLUGIN_TRUST_H

#include <limits.h>
#include <stdbool.h>

#include "util/error.h"

/* Check FOLDER (NULL: the compiled-in one) and write its path without
 * symbolic links into RESOLVED.  It must be absolute, owned by root and not
 * writable by others; so must be every folder above the compiled-in one,
 * except that a sticky one may be writable.  A given FOLDER may belong to
 * the effective user, and what is above it is the caller's business.
 * Returns 0, or -1 with ERR (ERROR_FAILED).
 */
int plugin_folder_check (const char *folder, char resolved[PATH_MAX],
                         struct error *err);

/* Check the file PATH in a checked folder: regular (a symbolic link is not),
 * owned by root, or by the effective user when GIVEN, and not writable by
 * others.  As nobody else can change a checked folder, PATH still names the
 * same file afterwards.  Returns 0, or -1 with ERR (ERROR_FAILED), whose
 * errnum is ENOENT when there is no such file.
 */
int plugin_file_check (const char *path, bool given, struct error *err);

#endif /* IOPRESS_PLUGIN_TRUST_H */
