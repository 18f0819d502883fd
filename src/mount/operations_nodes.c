/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel asks of any node: its attributes, and the whole store. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mount/operations.h"
#include "mount/status.h"
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

static int
set_owner (int fd, const struct stat *wanted, int which)
{
  uid_t owner = (which & FUSE_SET_ATTR_UID) != 0 ? wanted->st_uid
    : (uid_t) -1;
  gid_t group = (which & FUSE_SET_ATTR_GID) != 0 ? wanted->st_gid
    : (gid_t) -1;

  return fchownat (fd, "", owner, group, AT_EMPTY_PATH) < 0 ? errno : 0;
}

static int
set_times (struct node *node, const struct stat *wanted, int which)
{
  struct timespec times[2] = { wanted->st_atim, wanted->st_mtim };
  char path[NODE_PATH_BYTES];
  int result;

  if ((which & FUSE_SET_ATTR_ATIME) == 0)
    times[0].tv_nsec = UTIME_OMIT;
  else if ((which & FUSE_SET_ATTR_ATIME_NOW) != 0)
    clock_gettime (CLOCK_REALTIME, &times[0]);
  if ((which & FUSE_SET_ATTR_MTIME) == 0)
    times[1].tv_nsec = UTIME_OMIT;
  else if ((which & FUSE_SET_ATTR_MTIME_NOW) != 0)
    clock_gettime (CLOCK_REALTIME, &times[1]);
  node_hold (node);
  result = utimensat (AT_FDCWD, descriptor_path (node->fd, path), times,
                      0) < 0 ? errno : 0;
  node_let_go (node);
  if (result == 0 && node->file != NULL && times[1].tv_nsec != UTIME_OMIT)
    mounted_set_time (node->file, &times[1]);
  return result;
}

/* While others cannot put another file in its place. */
static int
set_owner_and_mode (struct node *node, const struct stat *wanted, int which)
{
  const int owner = FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID;
  char path[NODE_PATH_BYTES];
  int result = 0;

  node_hold (node);
  if ((which & owner) != 0)
    result = set_owner (node->fd, wanted, which);
  if (result == 0 && (which & FUSE_SET_ATTR_MODE) != 0 &&
      chmod (descriptor_path (node->fd, path), wanted->st_mode) < 0)
    result = errno;
  node_let_go (node);
  return result;
}

/* WHICH of the attributes WANTED.  Returns 0, or an errno. */
static int
change_attributes (struct node *node, const struct stat *wanted, int which)
{
  const int times = FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME;
  int result = set_owner_and_mode (node, wanted, which);

  if (result == 0 && (which & FUSE_SET_ATTR_SIZE) != 0)
    result = node->file == NULL ? EINVAL
      : mounted_truncate (node->file, (uint64_t) wanted->st_size);
  if (result == 0 && (which & times) != 0)
    result = set_times (node, wanted, which);
  return result;
}

static void
set_attributes (fuse_req_t request, fuse_ino_t inode, struct stat *wanted,
                int which, struct fuse_file_info *info)
{
  struct node *node = node_of (request, inode);
  struct stat attributes;
  int result = change_attributes (node, wanted, which);

  (void) info;
  if (result == 0)
    result = node_attributes (node, &attributes);
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

/* Answer with VALUE, of LENGTH bytes, when there are SIZE for it. */
static void
reply_extended (fuse_req_t request, const char *value, size_t length,
                size_t size)
{
  if (size == 0)
    fuse_reply_xattr (request, length);
  else if (size < length)
    fuse_reply_err (request, ERANGE);
  else
    fuse_reply_buf (request, value, length);
}

static void
get_status (fuse_req_t request, size_t size)
{
  CLEANUP_FREE char *text = status_text (store_of (request)->mounting);

  if (text == NULL)
    fuse_reply_err (request, ENOMEM);
  else
    reply_extended (request, text, strlen (text), size);
}

static void
get_extended (fuse_req_t request, fuse_ino_t inode, const char *name,
              size_t size)
{
  CLEANUP_FREE char *value = malloc (size + 1);
  char path[NODE_PATH_BYTES];
  ssize_t length;

  if (inode == FUSE_ROOT_ID && strcmp (name, STATUS_ATTRIBUTE) == 0) {
    get_status (request, size);
    return;
  }
  if (value == NULL) {
    fuse_reply_err (request, ENOMEM);
    return;
  }
  length = getxattr (descriptor_path (node_of (request, inode)->fd, path),
                     name, value, size);
  if (length < 0)
    fuse_reply_err (request, errno);
  else
    reply_extended (request, value, (size_t) length, size);
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
  else
    reply_extended (request, list, (size_t) length, size);
}

/* Access control lists would be kept, but nobody here would look at them. */
static bool
is_access_list (const char *name)
{
  return strncmp (name, "system.posix_acl_", 17) == 0;
}

static void
set_extended (fuse_req_t request, fuse_ino_t inode, const char *name,
              const char *value, size_t size, int flags)
{
  struct node *node = node_of (request, inode);
  char path[NODE_PATH_BYTES];
  int result = 0;

  node_hold (node);
  if (is_access_list (name))
    result = EOPNOTSUPP;
  else if (setxattr (descriptor_path (node->fd, path), name, value, size,
                     flags) < 0)
    result = errno;
  node_let_go (node);
  fuse_reply_err (request, result);
}

static void
remove_extended (fuse_req_t request, fuse_ino_t inode, const char *name)
{
  struct node *node = node_of (request, inode);
  char path[NODE_PATH_BYTES];
  int result = 0;

  node_hold (node);
  if (removexattr (descriptor_path (node->fd, path), name) < 0)
    result = errno;
  node_let_go (node);
  fuse_reply_err (request, result);
}

void
operations_of_nodes (struct fuse_lowlevel_ops *operations)
{
  operations->init = initialise;
  operations->getattr = get_attributes;
  operations->setattr = set_attributes;
  operations->setxattr = set_extended;
  operations->removexattr = remove_extended;
  operations->statfs = get_file_system;
  operations->getxattr = get_extended;
  operations->listxattr = list_extended;
}
