/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A store that is seen and not changed. */

#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mount/view.h"

/* As in operations.h. */
#define FUSE_USE_VERSION FUSE_MAKE_VERSION (3, 12)
#include <fuse.h>

static int
store_of_view (void)
{
  const struct view *view = fuse_get_context ()->private_data;

  return view->store;
}

/* PATH begins with a slash. */
static const char *
below (const char *path)
{
  return path[1] != '\0' ? path + 1 : ".";
}

/* Who owns the store may have put a link in the place of a folder since the
 * kernel looked at it.
 */
static int
open_path (const char *path, uint64_t flags)
{
  struct open_how how = {
    .flags = flags | O_NOFOLLOW | O_CLOEXEC,
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
  };
  long fd = syscall (SYS_openat2, store_of_view (), below (path), &how,
                     sizeof how);

  return fd < 0 ? -errno : (int) fd;
}

static int
look_at (const char *path, struct stat *found, struct fuse_file_info *info)
{
  int fd = open_path (path, O_PATH), result;

  (void) info;
  if (fd < 0)
    return fd;
  result = fstat (fd, found) < 0 ? -errno : 0;
  close (fd);
  return result;
}

static int
read_link (const char *path, char *target, size_t size)
{
  int fd = open_path (path, O_PATH), result = 0;
  ssize_t length;

  if (fd < 0)
    return fd;
  length = readlinkat (fd, "", target, size - 1);
  if (length < 0)
    result = -errno;
  else
    target[length] = '\0';
  close (fd);
  return result;
}

static int
open_file (const char *path, struct fuse_file_info *info)
{
  int fd;

  if ((info->flags & O_ACCMODE) != O_RDONLY || (info->flags & O_TRUNC) != 0)
    return -EROFS;
  fd = open_path (path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    return fd;
  info->fh = (uint64_t) fd;
  return 0;
}

static int
read_file (const char *path, char *buffer, size_t size, off_t offset,
           struct fuse_file_info *info)
{
  ssize_t count = pread ((int) info->fh, buffer, size, offset);

  (void) path;
  return count < 0 ? -errno : (int) count;
}

static int
release_file (const char *path, struct fuse_file_info *info)
{
  (void) path;
  close ((int) info->fh);
  return 0;
}

static int
read_folder (const char *path, void *buffer, fuse_fill_dir_t fill,
             off_t offset, struct fuse_file_info *info,
             enum fuse_readdir_flags flags)
{
  int fd = open_path (path, O_RDONLY | O_DIRECTORY);
  DIR *folder = fd >= 0 ? fdopendir (fd) : NULL;
  struct dirent *entry;

  (void) offset;
  (void) info;
  (void) flags;
  if (folder == NULL) {
    if (fd >= 0)
      close (fd);
    return fd < 0 ? fd : -ENOMEM;
  }
  while ((entry = readdir (folder)) != NULL)
    if (fill (buffer, entry->d_name, NULL, 0, 0) != 0)
      break;
  closedir (folder);
  return 0;
}

static int
tell_room (const char *path, struct statvfs *room)
{
  (void) path;
  return fstatvfs (store_of_view (), room) < 0 ? -errno : 0;
}

static int
change_owner (const char *path, uid_t owner, gid_t group,
              struct fuse_file_info *info)
{
  struct stat now;
  int result = look_at (path, &now, info);

  if (result != 0)
    return result;
  return (owner == (uid_t) -1 || owner == now.st_uid) &&
    (group == (gid_t) -1 || group == now.st_gid) ? 0 : -EROFS;
}

static int
change_mode (const char *path, mode_t mode, struct fuse_file_info *info)
{
  (void) path;
  (void) mode;
  (void) info;
  return -EROFS;
}

static int
create_file (const char *path, mode_t mode, struct fuse_file_info *info)
{
  return change_mode (path, mode, info);
}

static int
make_folder (const char *path, mode_t mode)
{
  return change_mode (path, mode, NULL);
}

static int
remove_name (const char *path)
{
  return change_mode (path, 0, NULL);
}

static int
change_name (const char *path, const char *name, unsigned int flags)
{
  (void) name;
  return change_mode (path, flags, NULL);
}

static int
change_size (const char *path, off_t size, struct fuse_file_info *info)
{
  (void) size;
  return change_mode (path, 0, info);
}

static void *
begin (struct fuse_conn_info *connection, struct fuse_config *config)
{
  (void) connection;
  config->use_ino = 1;
  return fuse_get_context ()->private_data;
}

static const struct fuse_operations operations = {
  .init = begin,
  .getattr = look_at,
  .readlink = read_link,
  .open = open_file,
  .read = read_file,
  .release = release_file,
  .readdir = read_folder,
  .statfs = tell_room,
  .chown = change_owner,
  .chmod = change_mode,
  .create = create_file,
  .mkdir = make_folder,
  .unlink = remove_name,
  .rmdir = remove_name,
  .rename = change_name,
  .truncate = change_size,
};

/* Returns a descriptor of what the kernel asks DEVICE about, mounted nowhere,
 * or -1 with errno.  It is for root alone: what the kernel has seen of a file
 * is no leave to read another that has its name now.
 */
static int
mount_nowhere (int device)
{
  int context = fsopen ("fuse", FSOPEN_CLOEXEC), mount = -1;
  char number[16];

  snprintf (number, sizeof number, "%d", device);
  if (context < 0)
    return -1;
  if (fsconfig (context, FSCONFIG_SET_STRING, "source", PACKAGE_NAME, 0) == 0
      && fsconfig (context, FSCONFIG_SET_STRING, "subtype", "store", 0) == 0
      && fsconfig (context, FSCONFIG_SET_STRING, "fd", number, 0) == 0
      && fsconfig (context, FSCONFIG_SET_STRING, "rootmode", "40000", 0) == 0
      && fsconfig (context, FSCONFIG_SET_STRING, "user_id", "0", 0) == 0
      && fsconfig (context, FSCONFIG_SET_STRING, "group_id", "0", 0) == 0
      && fsconfig (context, FSCONFIG_SET_FLAG, "default_permissions", NULL,
                   0) == 0
      && fsconfig (context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
    mount = fsmount (context, FSMOUNT_CLOEXEC,
                     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  close (context);
  return mount;
}

int
view_open (int store, struct view *view)
{
  int errnum;

  view->store = store;
  view->device = open ("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (view->device < 0)
    return -1;
  view->mount = mount_nowhere (view->device);
  if (view->mount >= 0)
    return 0;
  errnum = errno;
  close (view->device);
  errno = errnum;
  return -1;
}

void
view_serve (struct view *view)
{
  struct fuse_args args = FUSE_ARGS_INIT (0, NULL);
  char device[32];
  struct fuse *fuse = NULL;

  snprintf (device, sizeof device, "/dev/fd/%d", view->device);
  if (fuse_opt_add_arg (&args, PACKAGE_NAME) == 0)
    fuse = fuse_new (&args, &operations, sizeof operations, view);
  fuse_opt_free_args (&args);
  if (fuse == NULL)
    return;
  if (fuse_mount (fuse, device) == 0)
    fuse_loop (fuse);
  fuse_destroy (fuse);
}
