/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose code may run with our privileges: names, folders and files. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/loader.h"
#include "plugin/trust.h"

/* OWNER may own the file beside root; root for no one else. */
static int
check_owner (const struct stat *status, uid_t owner, struct error *err)
{
  if (status->st_uid == 0 || status->st_uid == owner)
    return 0;
  error_set (err, ERROR_FAILED, 0, "plugin path belongs to user %lu",
             (unsigned long) status->st_uid);
  return error_hint (err, "it must belong to root%s",
                     owner != 0 ? " or to the user who runs this" : "");
}

static int
check_writable (const struct stat *status, struct error *err)
{
  if ((status->st_mode & (S_IWGRP | S_IWOTH)) == 0)
    return 0;
  error_set (err, ERROR_FAILED, 0,
             "plugin path is writable by others than its owner");
  return error_hint (err, "make it safe with chmod go-w");
}

static int
check_folder (const char *path, uid_t owner, bool sticky_is_safe,
              struct error *err)
{
  struct stat status;

  if (lstat (path, &status) < 0)
    return error_set (err, ERROR_FAILED, errno, "cannot examine plugin path");
  if (!S_ISDIR (status.st_mode))
    return error_set (err, ERROR_FAILED, 0, "plugin path is not a folder");
  if (check_owner (&status, owner, err) < 0)
    return -1;
  if (sticky_is_safe && (status.st_mode & S_ISVTX) != 0)
    return 0;
  return check_writable (&status, err);
}

/* Every folder above PATH, which is absolute and without "." and "..". */
static int
check_folders_above (const char *path, struct error *err)
{
  char above[PATH_MAX] = "/";
  size_t i;

  for (i = 1; path[i] != '\0'; i++) {
    if (i == 1 || path[i] == '/') {
      memcpy (above, path, i);
      above[i] = '\0';
      if (check_folder (above, 0, true, err) < 0)
        return error_subject (err, above);
    }
  }
  return 0;
}

static int
resolve_folder (const char *folder, char resolved[PATH_MAX],
                struct error *err)
{
  if (folder[0] != '/')
    return error_set (err, ERROR_FAILED, 0,
                      "the plugin folder must be an absolute path");
  if (realpath (folder, resolved) == NULL)
    return error_set (err, ERROR_FAILED, errno,
                      "cannot open the plugin folder");
  return 0;
}

int
plugin_folder_check (const char *folder, char resolved[PATH_MAX],
                     struct error *err)
{
  bool given = folder != NULL;
  uid_t owner = given ? geteuid () : 0;

  if (!given)
    folder = PLUGIN_FOLDER;
  if (resolve_folder (folder, resolved, err) < 0)
    return error_subject (err, folder);
  if (!given && check_folders_above (resolved, err) < 0)
    return -1;
  if (check_folder (resolved, owner, false, err) < 0)
    return error_subject (err, resolved);
  return 0;
}

int
plugin_file_check (const char *path, bool given, struct error *err)
{
  struct stat status;

  if (lstat (path, &status) < 0)
    error_set (err, ERROR_FAILED, errno, "cannot open the codec plugin");
  else if (!S_ISREG (status.st_mode))
    error_set (err, ERROR_FAILED, 0, "a codec plugin must be a regular file");
  else if (check_owner (&status, given ? geteuid () : 0, err) == 0 &&
           check_writable (&status, err) == 0)
    return 0;
  return error_subject (err, path);
}
