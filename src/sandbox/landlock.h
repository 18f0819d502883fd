/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files the process may still open, create and rename (landlock(7)). */

#ifndef IOPRESS_SANDBOX_LANDLOCK_H
#define IOPRESS_SANDBOX_LANDLOCK_H

#include <stddef.h>

#include "util/error.h"

/* What may be done with a file, or with all in and below a folder. */
enum landlock_access {
  LANDLOCK_READ,               /* open to read; list */
  LANDLOCK_UPDATE,             /* open to read and write */
  LANDLOCK_NAMES,              /* and create, rename and remove regular files in
                                * a folder */
};

struct landlock_rule {
  int fd;                      /* of the file or folder, O_PATH will do; -1: no
                                * rule */
  enum landlock_access access;
};

/* Which version of Landlock the kernel has, 1 or more.  Any thread.  Returns -1
 * with ERR where this build or kernel has none, or it is switched off.
 */
int landlock_version (struct error *err);

/* From now on the calling thread, and those it starts then, may open what COUNT
 * of RULES permit, and execute, connect to and signal nothing beyond, as far as
 * VERSION, from landlock_version or less, knows that.  What is open stays as it
 * is; there is no way back.  Descriptors without a path, such as those of pipes,
 * need no rule.  Returns 0, or -1 with ERR and no change, but that new
 * privileges are given up.
 */
int landlock_enter (int version, const struct landlock_rule *rules,
                    size_t count, struct error *err);

#endif /* IOPRESS_SANDBOX_LANDLOCK_H */
