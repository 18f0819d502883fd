/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making one file look like another: owner, mode, extended attributes. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "io/file_private.h"
#include "util/cleanup.h"

#define ACCESS_LIST "system.posix_acl_access"

/* What the kernel computes of the content. */
static bool
is_of_content (const char *name)
{
  return strcmp (name, "security.ima") == 0 ||
    strcmp (name, "security.evm") == 0;
}

static void
copy_attribute (const struct file *from, const struct file *to,
                const char *name)
{
  ssize_t length = fgetxattr (from->fd, name, NULL, 0);
  CLEANUP_FREE void *value = length > 0 ? malloc ((size_t) length) : NULL;

  if (length < 0 || (length > 0 && value == NULL))
    return;
  length = fgetxattr (from->fd, name, value, (size_t) length);
  /* A label that may not be set is one that the system gives by itself. */
  if (length >= 0 &&
      fsetxattr (to->fd, name, value, (size_t) length, 0) < 0)
    return;
}

/* Whether FILE has an access control list, as far as that can be told. */
static bool
has_list (const struct file *file)
{
  return fgetxattr (file->fd, ACCESS_LIST, NULL, 0) >= 0;
}

/* TO may have got a list from its folder, whose mask a chmod would open. */
static int
drop_list (struct file *to, struct error *err)
{
  if (!has_list (to) || fremovexattr (to->fd, ACCESS_LIST) == 0 ||
      errno == ENODATA)
    return 0;
  return file_fail (to, err, "cannot lose its access control list");
}

static void
copy_attributes (const struct file *from, const struct file *to)
{
  ssize_t room = flistxattr (from->fd, NULL, 0);
  CLEANUP_FREE char *names = room > 0 ? malloc ((size_t) room) : NULL;
  ssize_t length, offset;

  if (names == NULL)
    return;
  length = flistxattr (from->fd, names, (size_t) room);
  for (offset = 0; offset < length;
       offset += (ssize_t) strlen (names + offset) + 1)
    if (!is_of_content (names + offset))
      copy_attribute (from, to, names + offset);
}

int
file_copy_attributes (const struct file *from, struct file *to,
                      struct error *err)
{
  struct stat wanted, st;
  mode_t mode;

  if (fstat (from->fd, &wanted) < 0)
    return file_fail (from, err, "cannot be examined");
  if (fstat (to->fd, &st) < 0)
    return file_fail (to, err, "cannot be examined");
  if ((st.st_uid != wanted.st_uid || st.st_gid != wanted.st_gid) &&
      fchown (to->fd, wanted.st_uid, wanted.st_gid) < 0)
    return file_fail (to, err, "cannot get the owner of the source");
  if (drop_list (to, err) < 0)
    return -1;
  copy_attributes (from, to);
  mode = wanted.st_mode & 07777;
  /* Without its list the group's bits would be those of the mask, and others'
   * those of whom it excludes.
   */
  if (has_list (from) && !has_list (to))
    mode &= ~(mode_t) 077;
  if (fchmod (to->fd, mode) < 0)
    return file_fail (to, err, "cannot get the mode of the source");
  return 0;
}
