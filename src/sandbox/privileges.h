/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the process as a whole keeps of the privileges it was started with. */

#ifndef IOPRESS_SANDBOX_PRIVILEGES_H
#define IOPRESS_SANDBOX_PRIVILEGES_H

#include "util/error.h"

/* What it will do, and what of capabilities(7) that takes. */
enum privileges {
  PRIVILEGES_COPY,             /* between descriptors that are open */
  PRIVILEGES_READ,             /* files of others, which it may not read */
  PRIVILEGES_WRITE,            /* files in folders of others */
  PRIVILEGES_REPLACE,          /* and give them owner, mode and attributes */
};

/* Whether this build and kernel can give privileges up.  Any thread.  Returns
 * 0, or -1 with ERR, which says what is missing.
 */
int privileges_available (struct error *err);

/* Give up for good all capabilities but those that KEPT takes, as far as there
 * are any, and what programs that are run later could get by themselves
 * (no_new_privs).  Of the calling thread, and of those it starts then: before
 * there is another.  Returns 0, or -1 with ERR: some may be gone then.
 */
int privileges_keep (enum privileges kept, struct error *err);

#endif /* IOPRESS_SANDBOX_PRIVILEGES_H */
