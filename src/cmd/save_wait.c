/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress save: waiting for QEMU to finish the source, or to give up. */

#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/save.h"
#include "cmd/signals.h"
#include "guest/qmp.h"
#include "safety/leftover.h"

static int
wait_for_byte (int fd, struct error *err)
{
  struct file channel = {
    .fd = fd,
    .how.cancelled = signals_received (),
    .stream = true,
  };
  char byte;
  ssize_t count;

  snprintf (channel.name, sizeof channel.name, "--wait-fd %d", fd);
  count = file_read_stream (&channel, &byte, 1, err);
  if (count > 0)
    return 0;
  return error_about (err, ERROR_CANCELLED, 0, channel.name,
                      "the channel was closed before the save completed");
}

/* Ask QEMU at the QMP socket NAME, a path or fd:N, until its migration has
 * completed.
 */
static int
wait_for_qemu (const char *name, struct error *err)
{
  int given = file_descriptor_of (name);
  int fd = given >= 0 ? given : qmp_connect (name, signals_received (), err);
  int result;

  if (fd < 0)
    return error_subject (err, name);
  result = qmp_wait_completed (fd, signals_received (), err);
  if (given < 0)
    close (fd);
  return result < 0 ? error_subject (err, name) : 0;
}

/* Whether NAME, a path or fd:N, may be the file that FD has open. */
static bool
may_name (const char *name, int fd)
{
  int given = strcmp (name, "-") == 0 ? STDIN_FILENO
    : file_descriptor_of (name);
  struct stat named, opened;

  if ((given >= 0 ? fstat (given, &named) : stat (name, &named)) < 0)
    return errno != ENOENT;
  return fstat (fd, &opened) < 0 ||
    (named.st_dev == opened.st_dev && named.st_ino == opened.st_ino);
}

/* The caller gave up: an inherited output is to be left empty.  Nothing has
 * been written to it: a guest in it is of an earlier run, and may be all there
 * is.
 */
static void
empty_descriptor (const struct save_options *options)
{
  int fd = file_descriptor_of (options->output_name);
  struct file file = FILE_CLOSED;
  struct error ignored = { 0 };
  /* The signal that may have ended the waiting does not end this. */
  struct file_how how = FILE_HOW (options->common.how.direct);

  if (fd < 0 || options->resume || may_name (options->source_name, fd))
    return;
  if (file_take_descriptor (fd, options->output_name, FILE_UPDATE, how,
                            &file, &ignored) == 0 &&
      file.regular && file_lock (&file, true, &ignored) == 0 &&
      leftover_is_foreign (&file, &ignored) > 0)
    file_truncate (&file, 0, &ignored);
  file_close (&file);
}

/* Nothing of the source is looked at before QEMU has finished it. */
int
save_wait (const struct save_options *options, struct error *err)
{
  if ((options->wait_fd < 0 || wait_for_byte (options->wait_fd, err) == 0) &&
      (options->wait_qmp == NULL ||
       wait_for_qemu (options->wait_qmp, err) == 0))
    return 0;
  empty_descriptor (options);
  return -1;
}
