/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a verb gives up of what it may do, as --sandbox says. */

#ifndef IOPRESS_CMD_CONFINE_H
#define IOPRESS_CMD_CONFINE_H

#include "cmd/options.h"
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

/* Print what this build, on this kernel, gives of all that: a line each. */
void confine_print_report (void);

#endif /* IOPRESS_CMD_CONFINE_H */
