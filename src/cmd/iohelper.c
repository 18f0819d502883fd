/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress iohelper, also started as libvirt_iohelper: in place of the helper
 * of libvirt.  Its arguments, messages and exit status are the original's.
 */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/verbs.h"
#include "pipeline/copy.h"
#include "sandbox/landlock.h"
#include "sandbox/system_calls.h"

/* A number as libvirt's virStrToLong_i reads it. */
static bool
parse_descriptor (const char *text, int *fd)
{
  char *end;
  long value;

  errno = 0;
  value = strtol (text, &end, 10);
  *fd = (int) value;
  return errno == 0 && end != text && *end == '\0' && value == *fd;
}

/* Returns the access mode, or -1. */
static int
inspect (int fd, const char *path, struct file *file, struct error *err)
{
  int flags = fcntl (fd, F_GETFL);
  int access = flags & O_ACCMODE;
  struct stat st;

  if (flags < 0)
    return error_about (err, ERROR_FAILED, errno, path,
                        "unable to determine access mode of");
  if (fstat (fd, &st) < 0)
    return error_about (err, ERROR_FAILED, errno, path, "Unable to stat");
  file->fd = fd;
  file->direct = (flags & O_DIRECT) != 0;
  /* Without O_DIRECT where it was set, the page cache would fill up. */
  file->how.direct = file->direct ? DIRECT_IO_ON : DIRECT_IO_OFF;
  file->regular = S_ISREG (st.st_mode);
  file->stream = !file->regular && !S_ISBLK (st.st_mode);
  if (access == O_RDONLY || access == O_WRONLY)
    return access;
  return error_set (err, ERROR_FAILED, EINVAL,
                    "Unable to process file with flags %d", access);
}

/* O_DIRECT begins at the beginning, but for block devices. */
static int
check_position (const struct file *file, bool reading, struct error *err)
{
  off_t offset;

  if (!file->direct || (!file->regular && !file->stream))
    return 0;
  offset = lseek (file->fd, 0, reading ? SEEK_CUR : SEEK_END);
  if (offset == 0)
    return 0;
  return error_set (err, ERROR_FAILED, offset < 0 ? errno : EINVAL, "%s",
                    reading ? "O_DIRECT read needs entire seekable file"
                    : "O_DIRECT write needs empty seekable file");
}

static int
copy (struct file *file, int access, struct error *err)
{
  if (check_position (file, access == O_RDONLY, err) < 0)
    return -1;
  return access == O_RDONLY ? copy_from_file (file, STDOUT_FILENO, err)
    : copy_to_file (file, STDIN_FILENO, err);
}

/* All is open.  What cannot be given up is kept: the original has it all. */
static void
give_up (void)
{
  struct error without = { 0 };
  int version = landlock_version (&without);

  privileges_keep (PRIVILEGES_COPY, &without);
  if (version > 0)
    landlock_enter (version, NULL, 0, &without);
  system_calls_keep (PRIVILEGES_COPY, &without);
}

static int
run (const char *path, int fd, struct error *err)
{
  struct file file = FILE_CLOSED;
  int access = inspect (fd, path, &file, err);
  int result = -1;

  snprintf (file.name, sizeof file.name, "%s", path);
  give_up ();
  if (access >= 0)
    result = copy (&file, access, err);
  if (close (fd) < 0 && result == 0)
    result = error_about (err, ERROR_FAILED, errno, path, "Unable to close");
  return result;
}

/* "PROGRAM: failure with PATH: WHAT PATH: WHY", without an end of line, which
 * libvirt puts into its own message.
 */
static void
print_failure (const char *program, const char *path, const struct error *err)
{
  bool stream = strcmp (err->subject, "stdio") == 0;

  fprintf (stderr, "%s: failure with %s: ", program, path);
  if (err->kind == ERROR_NONE)
    fputs ("no error", stderr);
  else if (err->subject[0] == '\0')
    fprintf (stderr, "%s: %s", err->what, strerror (err->errnum));
  else
    fprintf (stderr, "%s %s: %s", err->what, stream ? err->subject : path,
             strerror (err->errnum));
}

static int
take_place (int argc, char **argv)
{
  const char *program = argv[0];
  struct error err = { 0 };
  int fd;

  if (strcmp (program, "iohelper") == 0)
    program = "iopress iohelper";
  if (argc > 1 && strcmp (argv[1], "--help") == 0) {
    printf ("Usage: %s FILENAME FD", program);
    return EXIT_SUCCESS;
  }
  if (argc != 3) {
    fprintf (stderr, "%s: try --help for more details", program);
    return EXIT_FAILURE;
  }
  if (!parse_descriptor (argv[2], &fd)) {
    fprintf (stderr, "%s: malformed fd %s", program, argv[2]);
    return EXIT_FAILURE;
  }
  if (fd >= 0 && run (argv[1], fd, &err) == 0)
    return EXIT_SUCCESS;
  print_failure (program, argv[1], &err);
  return EXIT_FAILURE;
}

const struct verb iohelper_verb = {
  .name = "iohelper",
  .program = "libvirt_iohelper",
  .summary = "move a stream for libvirt",
  .take_place = take_place,
};
