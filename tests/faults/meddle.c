/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into iopress: somebody else does something in between.
 *
 *   IOPRESS_MEDDLE=CALL:SUFFIX    what runs before the first CALL on a path with
 *   IOPRESS_MEDDLE_COMMAND=TEXT   that end: a command for sh.  CALL is open, lock,
 *                                 synced (after fsync or fdatasync), rename (of
 *                                 it, or a second link to it) or unlink
 */

#undef _FORTIFY_SOURCE          /* its inline functions bear the same names */
#include <config.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/preload.h"

static atomic_bool done;

static bool
ends_with (const char *path, const char *suffix)
{
  size_t length = strlen (path), end = strlen (suffix);

  return length >= end && strcmp (path + length - end, suffix) == 0;
}

/* The program is about to CALL PATH. */
static void
meddle (const char *call, const char *path)
{
  const char *wanted = getenv ("IOPRESS_MEDDLE");
  const char *command = getenv ("IOPRESS_MEDDLE_COMMAND");
  size_t length = strlen (call);

  if (wanted == NULL || command == NULL ||
      strncmp (wanted, call, length) != 0 || wanted[length] != ':' ||
      !ends_with (path, wanted + length + 1) || atomic_exchange (&done, true))
    return;
  unsetenv ("LD_PRELOAD");
  if (system (command) != 0)
    abort ();
}

static void
meddle_fd (const char *call, int fd)
{
  char path[PRELOAD_PATH_BYTES];

  path_of (fd, path);
  meddle (call, path);
}

int
replaced_open (int folder_fd, const char *name, const char *path, int flags,
               mode_t mode)
{
  meddle ("open", path);
  return REAL (openat) (folder_fd, name, flags, mode);
}

int
replaced_ioctl (int fd, unsigned long request, void *argument)
{
  return REAL (ioctl) (fd, request, argument);
}

int
fcntl (int fd, int command, ...)
{
  va_list arguments;
  void *argument;

  va_start (arguments, command);
  argument = va_arg (arguments, void *);
  va_end (arguments);
  if (command == F_OFD_SETLK)
    meddle_fd ("lock", fd);
  return REAL (fcntl) (fd, command, argument);
}

int
fsync (int fd)
{
  int result = REAL (fsync) (fd);

  meddle_fd ("synced", fd);
  return result;
}

int
fdatasync (int fd)
{
  int result = REAL (fdatasync) (fd);

  meddle_fd ("synced", fd);
  return result;
}

int
renameat2 (int from_folder, const char *from, int to_folder, const char *to,
           unsigned int flags)
{
  char path[PRELOAD_PATH_BYTES];

  meddle ("rename", path_at (from_folder, from, path));
  return REAL (renameat2) (from_folder, from, to_folder, to, flags);
}

int
rename (const char *from, const char *to)
{
  return renameat2 (AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
unlinkat (int folder, const char *name, int flags)
{
  char path[PRELOAD_PATH_BYTES];

  meddle ("unlink", path_at (folder, name, path));
  return REAL (unlinkat) (folder, name, flags);
}

int
unlink (const char *path)
{
  return unlinkat (AT_FDCWD, path, 0);
}
