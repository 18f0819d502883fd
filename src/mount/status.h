/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a mount is doing, for those who ask. */

#ifndef IOPRESS_MOUNT_STATUS_H
#define IOPRESS_MOUNT_STATUS_H

#include "mount/mounting.h"

/* The extended attribute of the mounted folder that tells; it is in no store.
 */
#define STATUS_ATTRIBUTE "user.iopress.status"

/* The status as one JSON object, to be freed; NULL when there is no memory.
 * Any thread.
 */
char *status_text (const struct mounting *mounting);

#endif /* IOPRESS_MOUNT_STATUS_H */
