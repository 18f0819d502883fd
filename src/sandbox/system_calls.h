/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which system calls the process as a whole may still make (seccomp(2)). */

#ifndef IOPRESS_SANDBOX_SYSTEM_CALLS_H
#define IOPRESS_SANDBOX_SYSTEM_CALLS_H

#include "sandbox/privileges.h"

/* From now on the calling thread, and those it starts then, can make no system
 * call but those that what KEPT stands for takes: any other fails with ENOSYS,
 * as on a kernel that does not have it, which the C library and iopress do
 * without.  There is no way back, but memory_only_enter still works.  Where
 * that is not available, this is not.  Returns 0, or -1 with ERR, and no
 * change.
 */
int system_calls_keep (enum privileges kept, struct error *err);

#endif /* IOPRESS_SANDBOX_SYSTEM_CALLS_H */
