/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel asks of the file system. */

#ifndef IOPRESS_MOUNT_OPERATIONS_H
#define IOPRESS_MOUNT_OPERATIONS_H

/* The first with fuse_loop_cfg_create. */
#define FUSE_USE_VERSION FUSE_MAKE_VERSION (3, 12)
#include <fuse_lowlevel.h>

#include "mount/store.h"

/* The largest request, in bytes. */
#define REQUEST_BYTES (1u << 20)

/* Fill the operations in; their user data is a struct store. */
void operations_of_names (struct fuse_lowlevel_ops *operations);
void operations_of_nodes (struct fuse_lowlevel_ops *operations);
void operations_of_files (struct fuse_lowlevel_ops *operations);
void operations_of_folders (struct fuse_lowlevel_ops *operations);

/* The store of REQUEST, and the node that the kernel knows as INODE. */
struct store *store_of (fuse_req_t request);
struct node *node_of (fuse_req_t request, fuse_ino_t inode);

/* Say how a file is open: nothing of it is cached, and closing cannot fail. */
void set_up_open (struct fuse_file_info *info);

#endif /* IOPRESS_MOUNT_OPERATIONS_H */
