/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of a store themselves, seen and not changed: what stands in the
 * place of a mount whose process was killed.
 *
 * It is a FUSE file system and no read-only mount for one thing: libvirt sets
 * the owner of its folder whenever it starts, and does not start when it cannot.
 * Whoever changes nothing by that is told that it is done.
 */

#ifndef IOPRESS_MOUNT_VIEW_H
#define IOPRESS_MOUNT_VIEW_H

struct view {
  int store;                   /* its folder, the caller's */
  int device;                  /* where the kernel asks */
  int mount;                   /* mounted nowhere yet; for move_mount */
};

/* Make a view of the folder STORE.  Whoever looks at it waits for view_serve.
 * Returns 0, or -1 with errno.
 */
int view_open (int store, struct view *view);

/* Answer until the view, which has been put somewhere, is unmounted. */
void view_serve (struct view *view);

#endif /* IOPRESS_MOUNT_VIEW_H */
