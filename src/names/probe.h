/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a folder's file system does, tried with files of our own. */

#ifndef IOPRESS_NAMES_PROBE_H
#define IOPRESS_NAMES_PROBE_H

#include "names/place.h"

#define PROBE_SUFFIX ".probe"

/* Whom a file belongs to that is created beside PLACE.  Returns 0 with *UID, or
 * -1 with ERR.
 */
int probe_owner (const struct place *place, uid_t *uid, struct error *err);

/* Refuse FILE, which is ours and has the name PLACE, where two names cannot be
 * exchanged: it is tried with it and with an empty file, PLACE.probe.  A kill
 * can leave that one, and FILE, which must be empty, under its name; the next
 * run removes it.  Returns 0, or -1 with ERR.
 */
int probe_exchange (const struct place *place, const struct file *file,
                    struct error *err);

#endif /* IOPRESS_NAMES_PROBE_H */
