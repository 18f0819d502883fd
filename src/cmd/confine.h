/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a verb gives up of what it may do, as --sandbox says. */

#ifndef IOPRESS_CMD_CONFINE_H
#define IOPRESS_CMD_CONFINE_H

#include "cmd/options.h"
#include "cmd/output.h"
#include "sandbox/landlock.h"
#include "sandbox/privileges.h"

/* See that what --sandbox=on asks for can be had.  Returns 0, or -1 with ERR,
 * which says what is missing.
 */
int confine_check (struct error *err);

/* The verb begins: keep the privileges KEPT, and no others.  By default what
 * cannot be given up is kept.  Returns 0, or -1 with ERR.
 */
int confine_privileges (const struct common_options *common,
                        enum privileges kept, struct error *err);

/* What the verb reads and writes is open, and its codec loaded: from now on
 * nothing can be opened but the file INPUT for ACCESS, and if OUTPUT is not NULL
 * that, and the names in its folder; and no system calls be made but those that
 * KEPT takes.  By default, and where the kernel has no Landlock, what cannot be
 * given up is kept.  Returns 0, or -1 with ERR.
 */
int confine_to (const struct common_options *common, enum privileges kept,
                const struct file *input, enum landlock_access access,
                const struct output *output, struct error *err);

/* The same, but any file may be read, and where FOLDER, a descriptor, is not -1
 * FILE replaced in it.
 */
int confine_to_folder (const struct common_options *common,
                       const struct file *file, int folder,
                       struct error *err);

/* The same, but any file may be read, and none written. */
int confine_to_reading (const struct common_options *common,
                        struct error *err);

/* Print what this build, on this kernel, gives of all that: a line each. */
void confine_print_report (void);

#endif /* IOPRESS_CMD_CONFINE_H */
