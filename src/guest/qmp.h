/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking QEMU how a migration stands (QEMU docs/interop/qmp-spec.rst,
 * qapi/migration.json).
 */

#ifndef IOPRESS_GUEST_QMP_H
#define IOPRESS_GUEST_QMP_H

#include <signal.h>
#include <stdbool.h>

#include "util/error.h"

/* Connect to the QMP socket PATH, however long QEMU is busy with others.
 * Returns its descriptor, to be closed; or -1 with ERR: ERROR_CANCELLED when
 * *CANCELLED became non-zero.
 */
int qmp_connect (const char *path, const volatile sig_atomic_t *cancelled,
                 struct error *err);

/* Ask over FD, a connected QMP socket that may be fresh or in use, until the
 * migration has ended, several times a second.  Answers to what was asked
 * before are passed over.  Returns 0 when it completed;
 * -1 with ERR: ERROR_CANCELLED when it failed or was cancelled, when QEMU
 * closed the connection, or when *CANCELLED became non-zero; ERROR_FAILED when
 * the other side does not speak QMP.
 */
int qmp_wait_completed (int fd, const volatile sig_atomic_t *cancelled,
                        struct error *err);

#endif /* IOPRESS_GUEST_QMP_H */
