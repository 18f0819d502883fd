/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress save: opening the source. */

#include <config.h>

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/save.h"
#include "cmd/signals.h"
#include "safety/replace.h"

/* How long to wait, after QEMU has completed, for others to close the source,
 * and between two looks at it; milliseconds.
 */
#define CLOSE_PATIENCE 2000u
#define CLOSE_INTERVAL 50

/* Whether NAME is a descriptor that can only be written, such as QEMU's. */
static bool
is_write_only (const char *name)
{
  int fd = file_descriptor_of (name);

  return fd >= 0 && (fcntl (fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
}

/* A QEMU that has just completed, and its manager, take a moment to close the
 * source.
 */
static int
check_writers (const struct save *save, struct error *err)
{
  bool waited = save->options->wait_fd >= 0 || save->options->wait_qmp != NULL;
  unsigned int left = waited ? CLOSE_PATIENCE / CLOSE_INTERVAL : 0;

  while (file_check_writers (save->options->source_name, err) < 0) {
    if (left-- == 0 || *signals_received () != 0)
      return -1;
    *err = (struct error) { 0 };
    poll (NULL, 0, CLOSE_INTERVAL);
  }
  return 0;
}

/* A link may lead to a file that whoever asks for --discard does not mean. */
static int
check_no_link (const struct save *save, struct error *err)
{
  const char *name = save->options->source_name;
  struct place place;
  struct stat st;
  int there;
  bool same;

  if (file_descriptor_of (name) >= 0 || strcmp (name, "-") == 0)
    return 0;
  if (place_open (name, &place, err) < 0)
    return -1;
  there = place_look (&place, &st, err);
  same = place_has (&place, &save->source);
  place_close (&place);
  if (there < 0 || same)
    return there < 0 ? -1 : 0;
  if (there > 0 && S_ISLNK (st.st_mode))
    return error_about (err, ERROR_USAGE, 0, name, "is a symbolic link: with "
                        "--discard name the file itself");
  return error_about (err, ERROR_FAILED, 0, name,
                      "was replaced while it was opened");
}

/* What is wrong with a source that is open. */
static int
check_source (const struct save *save, struct error *err)
{
  const char *name = save->options->source_name;

  if (!save->consumes)
    return 0;
  if (!save->source.regular)
    return error_about (err, ERROR_USAGE, 0, name,
                        "is not a regular file, as --discard needs");
  return check_no_link (save, err);
}

/* There is a source, of which nothing can be read now.  Returns -1. */
static int
lose_sight (struct save *save)
{
  if (save->options->resume && save->earlier.left == SOURCE_WHOLE)
    save->earlier.left = SOURCE_UNKNOWN;
  return -1;
}

/* A source that will be consumed or replaced must be this process's alone; a
 * caller that passes a descriptor answers for its own.  What began with a
 * descriptor that can only be written goes on with it, before the image is
 * known.
 */
int
save_open_source (struct save *save, struct error *err)
{
  const struct save_options *options = save->options;
  const char *name = options->source_name;
  bool update = save->consumes || (options->resume && is_write_only (name));
  enum file_access access = update ? FILE_UPDATE : FILE_READ;

  if (options->replace && replace_check (name, err) < 0)
    return -1;
  if ((save->consumes || options->replace) && file_descriptor_of (name) < 0 &&
      check_writers (save, err) < 0)
    return -1;
  if (file_open_seekable (name, "SOURCE must be", access, options->common.how,
                          &save->source, err) < 0)
    return err->kind == ERROR_USAGE || save->source.absent ? -1
      : lose_sight (save);
  if (file_note_state (&save->source, &save->before, err) < 0)
    return lose_sight (save);
  if (check_source (save, err) < 0)
    return err->kind == ERROR_USAGE ? -1 : lose_sight (save);
  /* Another one may be giving it back. */
  return file_lock (&save->source, save->consumes, err) == 0 ? 0
    : lose_sight (save);
}
