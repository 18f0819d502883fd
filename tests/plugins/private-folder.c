/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A folder of one test's own, which obeys the trust rules of the loader. */

#include <config.h>

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private-folder.h"
#include "util/cleanup.h"

void
private_folder_make (struct private_folder *folder)
{
  const char *temporary = getenv ("TMPDIR");

  if (temporary == NULL || temporary[0] != '/')
    temporary = "/tmp";
  snprintf (folder->path, sizeof folder->path, "%s/iopress-test-XXXXXX",
            temporary);
  if (mkdtemp (folder->path) == NULL || chmod (folder->path, 0755) == -1)
    err (EXIT_FAILURE, "%s", folder->path);
}

static int
copy_bytes (int from, int to)
{
  char buffer[65536];
  ssize_t length;

  while ((length = read (from, buffer, sizeof buffer)) > 0)
    if (write (to, buffer, (size_t) length) != length)
      return -1;
  return length == 0 ? 0 : -1;
}

int
private_folder_copy (const struct private_folder *folder,
                     const char *from, const char *name)
{
  CLEANUP_CLOSE int source = -1;
  CLEANUP_CLOSE int copy = -1;
  char path[PATH_MAX];

  snprintf (path, sizeof path, "%s/%s", folder->path, name);
  source = open (from, O_RDONLY | O_CLOEXEC);
  if (source == -1)
    return -1;
  copy = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
  if (copy == -1 || fchmod (copy, 0755) == -1)
    return -1;
  return copy_bytes (source, copy);
}

void
private_folder_remove (const struct private_folder *folder)
{
  DIR *list = opendir (folder->path);
  struct dirent *entry;
  char path[PATH_MAX];

  if (list == NULL)
    return;
  while ((entry = readdir (list)) != NULL) {
    snprintf (path, sizeof path, "%s/%s", folder->path, entry->d_name);
    unlink (path);
  }
  closedir (list);
  rmdir (folder->path);
}
