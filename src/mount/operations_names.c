/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel asks of names. */

#include <config.h>

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "mount/operations.h"

int
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

void
reply_entry (fuse_req_t request, int result,
             const struct fuse_entry_param *entry)
{
  if (result != 0)
    fuse_reply_err (request, result);
  else if (fuse_reply_entry (request, entry) != 0)
    store_forget (store_of (request), node_of (request, entry->ino), 1);
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

void
operations_of_names (struct fuse_lowlevel_ops *operations)
{
  operations->lookup = lookup;
  operations->forget = forget;
  operations->forget_multi = forget_several;
  operations->readlink = read_link;
}
