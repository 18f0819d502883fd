/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel asks of any node: its attributes, and the whole store. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mount/operations.h"
#include "util/cleanup.h"

struct store *
store_of (fuse_req_t request)
{
  return fuse_req_userdata (request);
}

struct node *
node_of (fuse_req_t request, fuse_ino_t inode)
{
  if (inode == FUSE_ROOT_ID)
    return &store_of (request)->root;
  return (struct node *) (uintptr_t) inode;
}

static void
initialise (void *opaque, struct fuse_conn_info *connection)
{
  static const unsigned int wanted[] = {
    FUSE_CAP_ASYNC_READ, FUSE_CAP_ATOMIC_O_TRUNC, FUSE_CAP_ASYNC_DIO,
    FUSE_CAP_PARALLEL_DIROPS,
  };
  size_t i;

  (void) opaque;
  /* Nothing is cached by the kernel, least of all writes: it would tell of
   * their errors when a file is closed, which QEMU does not survive.
   */
  connection->want = 0;
  for (i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
    connection->want |= connection->capable & wanted[i];
  connection->max_write = REQUEST_BYTES;
  connection->max_read = REQUEST_BYTES;
  connection->max_readahead = 0;
}

static void
get_attributes (fuse_req_t request, fuse_ino_t inode,
                struct fuse_file_info *info)
{
  struct stat attributes;
  int result = node_attributes (node_of (request, inode), &attributes);

  (void) info;
  if (result != 0)
    fuse_reply_err (request, result);
  else
    fuse_reply_attr (request, &attributes, 0);
}

static void
get_file_system (fuse_req_t request, fuse_ino_t inode)
{
  struct statvfs attributes;

  (void) inode;
  if (fstatvfs (store_of (request)->root.fd, &attributes) < 0)
    fuse_reply_err (request, errno);
  else
    fuse_reply_statfs (request, &attributes);
}

static void
get_extended (fuse_req_t request, fuse_ino_t inode, const char *name,
              size_t size)
{
  CLEANUP_FREE char *value = malloc (size + 1);
  char path[NODE_PATH_BYTES];
  ssize_t length;

  if (value == NULL) {
    fuse_reply_err (request, ENOMEM);
    return;
  }
  length = getxattr (descriptor_path (node_of (request, inode)->fd, path),
                     name, value, size);
  if (length < 0)
    fuse_reply_err (request, errno);
  else if (size == 0)
    fuse_reply_xattr (request, (size_t) length);
  else
    fuse_reply_buf (request, value, (size_t) length);
}

static void
list_extended (fuse_req_t request, fuse_ino_t inode, size_t size)
{
  CLEANUP_FREE char *list = malloc (size + 1);
  char path[NODE_PATH_BYTES];
  ssize_t length;

  if (list == NULL) {
    fuse_reply_err (request, ENOMEM);
    return;
  }
  length = listxattr (descriptor_path (node_of (request, inode)->fd, path),
                      list, size);
  if (length < 0)
    fuse_reply_err (request, errno);
  else if (size == 0)
    fuse_reply_xattr (request, (size_t) length);
  else
    fuse_reply_buf (request, list, (size_t) length);
}

void
operations_of_nodes (struct fuse_lowlevel_ops *operations)
{
  operations->init = initialise;
  operations->getattr = get_attributes;
  operations->statfs = get_file_system;
  operations->getxattr = get_extended;
  operations->listxattr = list_extended;
}
