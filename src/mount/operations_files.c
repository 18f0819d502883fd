/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel asks of files that are open. */

#include <config.h>

#include <errno.h>

#include "mount/operations.h"
#include "mount/packing.h"
#include "mount/replies.h"

static struct mounted *
file_of (fuse_req_t request, fuse_ino_t inode)
{
  return node_of (request, inode)->file;
}

void
set_up_open (struct fuse_file_info *info)
{
  info->direct_io = 1;
  info->noflush = 1;
}

static void
open_file (fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
  struct mounted *file = file_of (request, inode);
  int result = file == NULL ? EINVAL : mounted_open (file, info->flags);

  set_up_open (info);
  if (result != 0)
    fuse_reply_err (request, result);
  /* Nobody has it open when the kernel does not take the answer. */
  else if (fuse_reply_open (request, info) != 0)
    mounted_release (file, info->flags);
}

static void
release_file (fuse_req_t request, fuse_ino_t inode,
              struct fuse_file_info *info)
{
  struct node *node = node_of (request, inode);

  mounted_release (node->file, info->flags);
  if (mounted_was_written (node->file))
    packing_add (store_of (request)->mounting->packing, node);
  fuse_reply_err (request, 0);
}

static void
flush_file (fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
  (void) inode;
  (void) info;
  fuse_reply_err (request, 0);
}

static void
read_file (fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
           struct fuse_file_info *info)
{
  struct replies *replies = store_of (request)->mounting->replies;
  char *buffer = replies_take (replies, size);
  size_t count = 0;
  int result;

  (void) info;
  result = buffer == NULL ? ENOMEM
    : mounted_read (file_of (request, inode), (uint64_t) offset, buffer, size,
                    &count);
  if (result != 0)
    fuse_reply_err (request, result);
  else
    fuse_reply_buf (request, buffer, count);
  if (buffer != NULL)
    replies_give_back (replies, buffer);
}

static void
write_file (fuse_req_t request, fuse_ino_t inode, const char *buffer,
            size_t size, off_t offset, struct fuse_file_info *info)
{
  int result = mounted_write (file_of (request, inode), (uint64_t) offset,
                              buffer, size);

  (void) info;
  /* All of it or nothing: QEMU takes less for success. */
  if (result != 0)
    fuse_reply_err (request, result);
  else
    fuse_reply_write (request, size);
}

static void
sync_file (fuse_req_t request, fuse_ino_t inode, int only_data,
           struct fuse_file_info *info)
{
  (void) info;
  fuse_reply_err (request, mounted_sync (file_of (request, inode),
                                         only_data != 0));
}

static void
allocate_file (fuse_req_t request, fuse_ino_t inode, int mode, off_t offset,
               off_t length, struct fuse_file_info *info)
{
  (void) info;
  fuse_reply_err (request, mounted_allocate (file_of (request, inode), mode,
                                             (uint64_t) offset,
                                             (uint64_t) length));
}

static void
seek_file (fuse_req_t request, fuse_ino_t inode, off_t offset, int whence,
           struct fuse_file_info *info)
{
  uint64_t found;
  int result = mounted_seek (file_of (request, inode), (uint64_t) offset,
                             whence, &found);

  (void) info;
  if (result != 0)
    fuse_reply_err (request, result);
  else
    fuse_reply_lseek (request, (off_t) found);
}

void
operations_of_files (struct fuse_lowlevel_ops *operations)
{
  operations->open = open_file;
  operations->release = release_file;
  operations->flush = flush_file;
  operations->read = read_file;
  operations->write = write_file;
  operations->fsync = sync_file;
  operations->fallocate = allocate_file;
  operations->lseek = seek_file;
}
