/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is left of a mount whose process is killed.
 *
 * A dead FUSE file system stays where it is mounted, and nothing in it can be
 * looked at: libvirt then finds no managed save and starts the guest from
 * nothing.  If the store came to light as it is, libvirt could end a save in
 * an image that nobody finishes any more.  So a process of its own waits for
 * the end and shows the store itself in place of the dead mount, read-only:
 * whole images are there, QEMU refuses them, and no save can be ended.
 */

#ifndef IOPRESS_MOUNT_GUARD_H
#define IOPRESS_MOUNT_GUARD_H

#include "mount/mounting.h"

/* Guard what has just been mounted on FOLDER, an absolute path, for as long as
 * this process lives; STORE_FD is the store's folder.  SAY as in mounting.h.
 * Must be called while no other thread runs.  Returns a descriptor for
 * guard_end, or -1 with ERR when this system does not let it.
 */
int guard_start (const char *folder, int store_fd,
                 void (*say) (enum say_level level, const char *line),
                 struct error *err);

/* Nothing is mounted by this process any more, so there is nothing to guard: what
 * is mounted on FOLDER by now is somebody else's.  -1 is ignored.
 */
void guard_end (int descriptor);

#endif /* IOPRESS_MOUNT_GUARD_H */
