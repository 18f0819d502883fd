/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel asks of names. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "mount/operations.h"

/* Look NAME up in PARENT for the kernel, to make ENTRY of it.  Returns 0, or an
 * errno.
 */
static int
make_entry (fuse_req_t request, fuse_ino_t parent, const char *name,
            struct fuse_entry_param *entry)
{
  struct store *store = store_of (request);
  struct node *node;
  int result = store_lookup (store, node_of (request, parent), name, &node);

  if (result != 0)
    return result;
  *entry = (struct fuse_entry_param) { .ino = (uintptr_t) node };
  result = node_attributes (node, &entry->attr);
  if (result != 0)
    store_forget (store, node, 1);
  return result;
}

/* Answer with ENTRY, or with the errno RESULT. */
static void
reply_entry (fuse_req_t request, int result,
             const struct fuse_entry_param *entry)
{
  /* Whatever the answer is, the request is gone with it. */
  struct store *store = store_of (request);

  if (result != 0)
    fuse_reply_err (request, result);
  else if (fuse_reply_entry (request, entry) != 0)
    store_forget (store, (struct node *) (uintptr_t) entry->ino, 1);
}

static void
lookup (fuse_req_t request, fuse_ino_t parent, const char *name)
{
  struct fuse_entry_param entry;
  int result = make_entry (request, parent, name, &entry);

  reply_entry (request, result, &entry);
}

static void
forget (fuse_req_t request, fuse_ino_t inode, uint64_t count)
{
  store_forget (store_of (request), node_of (request, inode), count);
  fuse_reply_none (request);
}

static void
forget_several (fuse_req_t request, size_t count,
                struct fuse_forget_data *forgets)
{
  size_t i;

  for (i = 0; i < count; i++)
    store_forget (store_of (request), node_of (request, forgets[i].ino),
                  forgets[i].nlookup);
  fuse_reply_none (request);
}

static void
read_link (fuse_req_t request, fuse_ino_t inode)
{
  char target[PATH_MAX + 1];
  ssize_t length = readlinkat (node_of (request, inode)->fd, "", target,
                               sizeof target);

  if (length < 0 || (size_t) length == sizeof target) {
    fuse_reply_err (request, length < 0 ? errno : ENAMETOOLONG);
    return;
  }
  target[length] = '\0';
  fuse_reply_readlink (request, target);
}

/* What was made in PARENT, as NAME below FD, belongs to who asked for it, or,
 * in a folder that hands its group on, to that group.  Returns 0, or an errno.
 */
static int
give_away (fuse_req_t request, const struct node *parent, int fd,
           const char *name)
{
  const struct fuse_ctx *caller = fuse_req_ctx (request);
  struct stat folder;
  gid_t group = caller->gid;

  if (fstat (parent->fd, &folder) < 0)
    return errno;
  if ((folder.st_mode & S_ISGID) != 0)
    group = (gid_t) -1;
  return fchownat (fd, name, caller->uid, group,
                   AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0 ? errno : 0;
}

/* Answer after something was made as NAME with the RESULT of the call that made
 * it.
 */
static void
reply_made (fuse_req_t request, int result, fuse_ino_t parent,
            const char *name)
{
  const struct node *folder = node_of (request, parent);
  struct fuse_entry_param entry;

  result = result < 0 ? errno
    : give_away (request, folder, folder->fd, name);
  if (result == 0)
    result = make_entry (request, parent, name, &entry);
  reply_entry (request, result, &entry);
}

static void
make_special (fuse_req_t request, fuse_ino_t parent, const char *name,
              mode_t mode, dev_t device)
{
  reply_made (request, mknodat (node_of (request, parent)->fd, name, mode,
                                device), parent, name);
}

static void
make_folder (fuse_req_t request, fuse_ino_t parent, const char *name,
             mode_t mode)
{
  reply_made (request, mkdirat (node_of (request, parent)->fd, name, mode),
              parent, name);
}

static void
make_symbolic_link (fuse_req_t request, const char *target,
                    fuse_ino_t parent, const char *name)
{
  reply_made (request, symlinkat (target, node_of (request, parent)->fd,
                                  name), parent, name);
}

static void
make_link (fuse_req_t request, fuse_ino_t inode, fuse_ino_t parent,
           const char *name)
{
  struct node *node = node_of (request, inode);
  struct fuse_entry_param entry;
  char path[NODE_PATH_BYTES];
  int result;

  node_hold (node);
  result = linkat (AT_FDCWD, descriptor_path (node->fd, path),
                   node_of (request, parent)->fd, name,
                   AT_SYMLINK_FOLLOW) < 0 ? errno : 0;
  node_let_go (node);
  if (result == 0)
    result = make_entry (request, parent, name, &entry);
  reply_entry (request, result, &entry);
}

static void
remove_file (fuse_req_t request, fuse_ino_t parent, const char *name)
{
  int result = unlinkat (node_of (request, parent)->fd, name, 0);

  fuse_reply_err (request, result < 0 ? errno : 0);
}

static void
remove_folder (fuse_req_t request, fuse_ino_t parent, const char *name)
{
  int result = unlinkat (node_of (request, parent)->fd, name, AT_REMOVEDIR);

  fuse_reply_err (request, result < 0 ? errno : 0);
}

static void
rename_any (fuse_req_t request, fuse_ino_t parent, const char *name,
            fuse_ino_t to, const char *new_name, unsigned int flags)
{
  int result = renameat2 (node_of (request, parent)->fd, name,
                          node_of (request, to)->fd, new_name, flags);

  fuse_reply_err (request, result < 0 ? errno : 0);
}

/* Make the regular file NAME.  Nobody may open it before it has its owner.
 * Returns 0, or an errno.
 */
static int
make_file (fuse_req_t request, const struct node *parent, const char *name,
           mode_t mode)
{
  int fd = openat (parent->fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
                   O_CLOEXEC, 0);
  int result;

  if (fd < 0)
    return errno;
  result = give_away (request, parent, fd, "");
  if (result == 0 && fchmod (fd, mode & 07777) < 0)
    result = errno;
  close (fd);
  if (result != 0)
    unlinkat (parent->fd, name, 0);
  return result;
}

/* Another one may have made it in between: it is opened then, unless that is
 * not wanted.
 */
static void
create_file (fuse_req_t request, fuse_ino_t parent, const char *name,
             mode_t mode, struct fuse_file_info *info)
{
  struct store *store = store_of (request);
  struct fuse_entry_param entry;
  struct node *node;
  int result = make_file (request, node_of (request, parent), name, mode);

  if (result == EEXIST && (info->flags & O_EXCL) == 0)
    result = 0;
  if (result == 0)
    result = make_entry (request, parent, name, &entry);
  if (result != 0) {
    fuse_reply_err (request, result);
    return;
  }
  node = node_of (request, entry.ino);
  result = node->file == NULL ? EINVAL
    : mounted_open (node->file, info->flags);
  set_up_open (info);
  if (result != 0)
    fuse_reply_err (request, result);
  else if (fuse_reply_create (request, &entry, info) == 0)
    return;
  else
    mounted_release (node->file, info->flags);
  store_forget (store, node, 1);
}

void
operations_of_names (struct fuse_lowlevel_ops *operations)
{
  operations->mknod = make_special;
  operations->mkdir = make_folder;
  operations->symlink = make_symbolic_link;
  operations->link = make_link;
  operations->unlink = remove_file;
  operations->rmdir = remove_folder;
  operations->rename = rename_any;
  operations->create = create_file;
  operations->lookup = lookup;
  operations->forget = forget;
  operations->forget_multi = forget_several;
  operations->readlink = read_link;
}
