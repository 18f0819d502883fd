/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the modules share that are preloaded into iopress. */

#undef _FORTIFY_SOURCE          /* its inline functions bear the same names */
#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/preload.h"

void *
next (const char *name)
{
  void *symbol = dlsym (RTLD_NEXT, name);

  if (symbol == NULL)
    abort ();
  return symbol;
}

void
path_of (int fd, char path[PRELOAD_PATH_BYTES])
{
  int before = errno;
  char link[64];
  ssize_t length;

  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  length = readlink (link, path, PRELOAD_PATH_BYTES - 1);
  path[length > 0 ? length : 0] = '\0';
  errno = before;
}

const char *
path_at (int folder, const char *path, char joined[PRELOAD_PATH_BYTES])
{
  size_t length;

  if (path[0] == '/' || folder == AT_FDCWD)
    return path;
  path_of (folder, joined);
  length = strlen (joined);
  snprintf (joined + length, PRELOAD_PATH_BYTES - length, "/%s", path);
  return joined;
}

int
open (const char *path, int flags, ...)
{
  mode_t mode = 0;

  if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
    va_list arguments;

    va_start (arguments, flags);
    mode = va_arg (arguments, mode_t);
    va_end (arguments);
  }
  return replaced_open (AT_FDCWD, path, path, flags, mode);
}

/* What a fortified build calls when it passes no mode. */
int __open_2 (const char *path, int flags);
int
__open_2 (const char *path, int flags)
{
  return open (path, flags);
}

/* To the modules a name in an open folder is a path. */
int
openat (int folder, const char *path, int flags, ...)
{
  char joined[PRELOAD_PATH_BYTES];
  mode_t mode = 0;

  if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
    va_list arguments;

    va_start (arguments, flags);
    mode = va_arg (arguments, mode_t);
    va_end (arguments);
  }
  return replaced_open (folder, path, path_at (folder, path, joined), flags,
                        mode);
}

int __openat_2 (int folder, const char *path, int flags);
int
__openat_2 (int folder, const char *path, int flags)
{
  return openat (folder, path, flags);
}

int
ioctl (int fd, unsigned long request, ...)
{
  va_list arguments;
  void *argument;

  va_start (arguments, request);
  argument = va_arg (arguments, void *);
  va_end (arguments);
  return replaced_ioctl (fd, request, argument);
}
