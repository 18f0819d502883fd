/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals that ask for a clean end. */

#ifndef IOPRESS_CMD_SIGNALS_H
#define IOPRESS_CMD_SIGNALS_H

#include <signal.h>

/* From now on the first SIGINT, SIGTERM or SIGHUP is only noted, a second one
 * of the same kind kills; SIGPIPE becomes EPIPE, SIGXFSZ EFBIG, and SIGIO,
 * which a broken lease sends, is ignored.
 */
void signals_catch (void);

/* Undo it for those three alone: somebody else is to catch them. */
void signals_hand_over (void);

/* Undo signals_catch, in a child process that is to run another program. */
void signals_restore (void);

/* Where the number of the signal is noted; 0 before. */
const volatile sig_atomic_t *signals_received (void);

#endif /* IOPRESS_CMD_SIGNALS_H */
