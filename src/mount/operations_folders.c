/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel asks of folders that are open. */

#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "mount/operations.h"
#include "mount/transfer.h"
#include "util/cleanup.h"

struct open_folder {
  pthread_mutex_t lock;        /* for all below */
  DIR *stream;
  struct dirent *entry;        /* that did not fit, or NULL */
  off_t offset;                /* where the next entry is */
};

static struct open_folder *
folder_of (const struct fuse_file_info *info)
{
  return (struct open_folder *) (uintptr_t) info->fh;
}

static void
open_folder (fuse_req_t request, fuse_ino_t inode,
             struct fuse_file_info *info)
{
  int fd = openat (node_of (request, inode)->fd, ".",
                   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct open_folder *folder = fd >= 0 ? calloc (1, sizeof *folder) : NULL;

  if (folder != NULL)
    folder->stream = fdopendir (fd);
  if (folder == NULL || folder->stream == NULL) {
    fuse_reply_err (request, errno);
    if (fd >= 0)
      close (fd);
    free (folder);
    return;
  }
  pthread_mutex_init (&folder->lock, NULL);
  info->fh = (uintptr_t) folder;
  fuse_reply_open (request, info);
}

static void
release_folder (fuse_req_t request, fuse_ino_t inode,
                struct fuse_file_info *info)
{
  struct open_folder *folder = folder_of (info);

  (void) inode;
  closedir (folder->stream);
  pthread_mutex_destroy (&folder->lock);
  free (folder);
  fuse_reply_err (request, 0);
}

/* Put entries into BUFFER until it is full.  Returns 0, or an errno. */
static int
fill (fuse_req_t request, struct open_folder *folder, char *buffer,
      size_t size, size_t *used)
{
  for (;;) {
    size_t length;
    struct stat attributes = { 0 };

    errno = 0;
    if (folder->entry == NULL)
      folder->entry = readdir (folder->stream);
    if (folder->entry == NULL)
      return errno;
    attributes.st_ino = folder->entry->d_ino;
    attributes.st_mode = (mode_t) DTTOIF (folder->entry->d_type);
    length = fuse_add_direntry (request, buffer + *used, size - *used,
                                folder->entry->d_name, &attributes,
                                folder->entry->d_off);
    if (length > size - *used)
      return 0;
    *used += length;
    folder->offset = folder->entry->d_off;
    folder->entry = NULL;
  }
}

static void
read_folder (fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
             struct fuse_file_info *info)
{
  struct open_folder *folder = folder_of (info);
  CLEANUP_FREE char *buffer = malloc (size);
  size_t used = 0;
  int result;

  (void) inode;
  if (buffer == NULL) {
    fuse_reply_err (request, ENOMEM);
    return;
  }
  pthread_mutex_lock (&folder->lock);
  if (offset != folder->offset) {
    seekdir (folder->stream, offset);
    folder->entry = NULL;
    folder->offset = offset;
  }
  result = fill (request, folder, buffer, size, &used);
  pthread_mutex_unlock (&folder->lock);
  if (result != 0 && used == 0)
    fuse_reply_err (request, result);
  else
    fuse_reply_buf (request, buffer, used);
}

static void
sync_folder (fuse_req_t request, fuse_ino_t inode, int only_data,
             struct fuse_file_info *info)
{
  int fd = dirfd (folder_of (info)->stream);

  (void) inode;
  fuse_reply_err (request, only_data != 0 ? sync_data (fd) : sync_all (fd));
}

void
operations_of_folders (struct fuse_lowlevel_ops *operations)
{
  operations->opendir = open_folder;
  operations->releasedir = release_folder;
  operations->readdir = read_folder;
  operations->fsyncdir = sync_folder;
}
