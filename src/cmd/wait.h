/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting until QEMU has finished writing the source. */

#ifndef IOPRESS_CMD_WAIT_H
#define IOPRESS_CMD_WAIT_H

#include "util/error.h"

/* Wait for one byte on FD.  Returns 0; or -1 with ERR: ERROR_CANCELLED when the
 * channel ends before a byte came, or on a signal.
 */
int wait_for_byte (int fd, struct error *err);

/* Ask QEMU at the QMP socket NAME, a path or fd:N, until its migration has
 * completed.  Returns 0; or -1 with ERR: ERROR_CANCELLED when it failed, was
 * cancelled or QEMU went away, or on a signal.
 */
int wait_for_qemu (const char *name, struct error *err);

#endif /* IOPRESS_CMD_WAIT_H */
