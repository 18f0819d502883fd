/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No core file of this process: it would hold the memory of guests. */

#ifndef IOPRESS_SANDBOX_CORE_DUMPS_H
#define IOPRESS_SANDBOX_CORE_DUMPS_H

/* From now on a crash writes no core file (the soft RLIMIT_CORE is 0).  Before
 * any thread is started.  What cannot be changed stays as it is.
 */
void core_dumps_stop (void);

/* As it was before: for a child that becomes another program. */
void core_dumps_restore (void);

#endif /* IOPRESS_SANDBOX_CORE_DUMPS_H */
