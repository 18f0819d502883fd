/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress save: waiting for QEMU to finish the source, or to give up. */

#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/save.h"
#include "cmd/save_private.h"
#include "cmd/wait.h"
#include "image/image.h"

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

/* Whether the source can be read and is whole. */
static bool
has_whole_source (const struct save *save)
{
  struct resume found = { .image = NULL };
  struct file file = FILE_CLOSED;
  struct error ignored = { 0 };
  struct stat st;
  bool whole = (file_descriptor_of (save->source_name) >= 0 ||
                (stat (save->source_name, &st) == 0 &&
                 S_ISREG (st.st_mode))) &&
    file_open (save->source_name, FILE_READ, save->common.direct, &file,
               &ignored) == 0 &&
    !file.stream && resume_read_marker (&file, &found, &ignored) == 0 &&
    found.left == SOURCE_WHOLE;

  file_close (&file, &ignored);
  return whole;
}

/* The caller gave up: an inherited output is to be left empty.  Nothing has been
 * written to it: an image in it is of an earlier run, and may be all there is
 * unless its source can be seen to be whole.
 */
static void
empty_descriptor (const struct save *save)
{
  int fd = file_descriptor_of (save->output_name);
  struct file file = FILE_CLOSED;
  struct error ignored = { 0 };

  if (fd < 0 || save->resume || may_name (save->source_name, fd))
    return;
  if (file_take_descriptor (fd, save->output_name, FILE_UPDATE,
                            save->common.direct, &file, &ignored) == 0 &&
      file.regular && file_lock (&file, true, &ignored) == 0 &&
      (image_recognise (&file, &ignored) == 0 || has_whole_source (save)))
    file_truncate (&file, 0, &ignored);
  file_close (&file, &ignored);
}

/* Nothing of the source is looked at before QEMU has finished it. */
int
save_wait (const struct save *save, struct error *err)
{
  if ((save->wait_fd < 0 || wait_for_byte (save->wait_fd, err) == 0) &&
      (save->wait_qmp == NULL || wait_for_qemu (save->wait_qmp, err) == 0))
    return 0;
  empty_descriptor (save);
  return -1;
}
