/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress save: opening source and output. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/codec.h"
#include "cmd/save.h"
#include "cmd/save_private.h"
#include "cmd/signals.h"

/* How long to wait, after QEMU has completed, for others to close the source,
 * and between two looks at it; milliseconds.
 */
#define CLOSE_PATIENCE 2000u
#define CLOSE_INTERVAL 50

static int
refuse (const char *subject, const char *what, struct error *err)
{
  error_set (err, ERROR_USAGE, 0, "%s", what);
  return error_subject (err, subject);
}

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
  bool waited = save->wait_fd >= 0 || save->wait_qmp != NULL;
  unsigned int left = waited ? CLOSE_PATIENCE / CLOSE_INTERVAL : 0;

  while (file_check_writers (save->source_name, err) < 0) {
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
  const char *name = save->source_name;
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
    return refuse (name, "is a symbolic link: with --discard name the file "
                   "itself", err);
  error_set (err, ERROR_FAILED, 0, "was replaced while it was opened");
  return error_subject (err, name);
}

/* What is wrong with a source that is open. */
static int
check_source (const struct save *save, struct error *err)
{
  const char *name = save->source_name;

  if (save->source.stream)
    return refuse (name, "is not seekable, as SOURCE must be", err);
  if (!save->consumes)
    return 0;
  if (!save->source.regular)
    return refuse (name, "is not a regular file, as --discard needs", err);
  return check_no_link (save, err);
}

/* Whether the open of a source failed because that is not there, or not for this
 * caller, and not because of what may be better the next time.
 */
static bool
is_no_source (int errnum)
{
  return errnum == ENOENT || errnum == ENOTDIR || errnum == EISDIR ||
    errnum == ELOOP || errnum == ENAMETOOLONG || errnum == EACCES ||
    errnum == EPERM || errnum == ENXIO;
}

/* There is a source, of which nothing can be read now.  Returns -1. */
static int
lose_sight (struct save *save)
{
  if (save->resume && save->earlier.left == SOURCE_WHOLE)
    save->earlier.left = SOURCE_UNKNOWN;
  return -1;
}

/* A source that will be consumed or replaced must be this process's alone; a
 * caller that passes a descriptor answers for its own.  What began with a
 * descriptor that can only be written goes on with it, before the image is known.
 */
int
save_open_source (struct save *save, struct error *err)
{
  const char *name = save->source_name;
  bool update = save->consumes || (save->resume && is_write_only (name));
  enum file_access access = update ? FILE_UPDATE : FILE_READ;

  if (save->replace && replace_check (name, err) < 0)
    return -1;
  if ((save->consumes || save->replace) && file_descriptor_of (name) < 0 &&
      check_writers (save, err) < 0)
    return -1;
  if (file_open (name, access, save->common.direct, &save->source, err) < 0)
    return is_no_source (err->errnum) ? -1 : lose_sight (save);
  if (file_note_state (&save->source, &save->before, err) < 0)
    return lose_sight (save);
  save->source.cancelled = signals_received ();
  if (check_source (save, err) < 0)
    return err->kind == ERROR_USAGE ? -1 : lose_sight (save);
  /* Another one may be giving it back. */
  return file_lock (&save->source, save->consumes, err) == 0 ? 0
    : lose_sight (save);
}

/* With --discard the image must be able to become durable, elsewhere. */
int
save_check_output (struct save *save, struct error *err)
{
  if (save->consumes && save->output.file.stream)
    return refuse (save->output.file.name,
                   "cannot be made durable, as --discard needs", err);
  if (!save->output.file.stream && !save->output.file.regular)
    return refuse (save->output.file.name, "is a device, which has no end "
                   "where the footer could stand", err);
  if (save->output.file.regular &&
      file_same (&save->source, &save->output.file))
    return refuse (save->output.file.name, "is SOURCE itself", err);
  return 0;
}

/* Find out what the source is, and fill in the file header. */
static int
examine_source (struct save *save, struct error *err)
{
  struct file_header *header = &save->header;

  if (source_layout_detect (&save->source, save->format, &save->layout,
                            err) < 0)
    return -1;
  memcpy (header->image_id, save->image_id, IMAGE_ID_BYTES);
  if (!save->has_image_id &&
      getrandom (header->image_id, IMAGE_ID_BYTES, 0) != IMAGE_ID_BYTES)
    return error_set (err, ERROR_FAILED, errno, "no random image id");
  header->major = FORMAT_MAJOR;
  header->minor = FORMAT_MINOR;
  header->prefix_bytes = save->layout.prefix_bytes;
  header->source_bytes = save->source.size;
  header->kind = save->layout.kind;
  header->compatible = (save->exact ? FEATURE_EXACT : 0) |
    (save->consumes ? FEATURE_DISCARD : 0);
  return 0;
}

/* A level follows the run where there are workers that can be idle or not. */
static int
choose_codec (struct save *save, struct error *err)
{
  if (codec_for_choice (save->common.plugin_folder, save->codec_text,
                        &save->header, &save->codec, &save->automatic,
                        err) < 0)
    return -1;
  save->automatic = save->automatic && save->common.threads > 0;
  return 0;
}

static bool
is_filled (const struct stat *st)
{
  return S_ISREG (st->st_mode) && st->st_size > 0;
}

/* Whether there is something that the image would take the place of. */
static bool
is_taken (const struct save *save)
{
  const char *name = save->output_name;
  bool stream = strcmp (name, "-") == 0;
  int fd = stream ? STDOUT_FILENO : file_descriptor_of (name);
  char part[PLACE_PATH_BYTES];
  struct stat st;

  if (fd >= 0)
    return fstat (fd, &st) == 0 && is_filled (&st) &&
      (!stream || lseek (fd, 0, SEEK_CUR) < st.st_size);
  snprintf (part, sizeof part, "%s" DRAFT_SUFFIX, name);
  return (!save->replace && stat (name, &st) == 0 && is_filled (&st)) ||
    (stat (part, &st) == 0 && is_filled (&st));
}

/* What --discard has finished with has its old size and holds nothing: whatever
 * stands where its image is to go may be all there is.
 */
static int
check_not_consumed (const struct save *save, struct error *err)
{
  const struct file *source = &save->source;
  bool matters = source->size > 0 && (save->consumes || save->resume);
  int empty;

  if (!matters && !is_taken (save))
    return 0;
  empty = resume_source_is_empty (source, err);
  if (empty <= 0)
    return empty;
  error_set (err, ERROR_BAD_INPUT, 0, "holds nothing: an earlier run may have "
             "given all of it back");
  error_subject (err, save->source_name);
  return error_hint (err, "look for its image, which may be %s",
                     save->output_name);
}

static int
open_output (struct save *save, struct error *err)
{
  if (save->replace)
    return replace_open (save->source_name, &save->common, &save->source,
                         &save->output, err);
  return output_open (save->output_name, OUTPUT_IMAGE, save->force,
                      save->common.direct, &save->source, &save->output, err);
}

int
save_begin_image (struct save *save, struct error *err)
{
  save->header = (struct file_header) { .chunk_bytes = save->chunk_bytes };
  return choose_codec (save, err) < 0 ? -1 : examine_source (save, err);
}

int
save_prepare_new (struct save *save, struct error *err)
{
  if (check_not_consumed (save, err) < 0 ||
      save_begin_image (save, err) < 0 || open_output (save, err) < 0)
    return -1;
  save->new_output = true;
  return save_check_output (save, err);
}

/* Whether blocks can be given back at all; both files may have been moved since
 * an earlier run began.  To try that counts as a change on some file systems.
 * Returns 1, 0, or -1 with ERR.
 */
static int
try_consuming (struct save *save, struct error *err)
{
  int possible;

  if (file_descriptor_of (save->source_name) < 0 &&
      file_check_state (&save->source, &save->before, err) < 0)
    return -1;
  possible = discard_is_possible (&save->source, err);
  return possible >= 0 &&
    file_note_state (&save->source, &save->before, err) < 0 ? -1 : possible;
}

static int
start_consuming (struct save *save, struct error *err)
{
  struct output *output = &save->output;
  struct consume_options options = {
    .discard = {
      .source = &save->source,
      .output = &output->file,
      .draft = output_draft (output),
      .header = &save->header,
      .before = file_descriptor_of (save->source_name) < 0 ? &save->before
        : NULL,
      .left = &save->earlier.left,
    },
    .batch_bytes = save->batch_bytes,
  };
  int possible = 1;

  if (!save->consumes)
    return 0;
  if (save->resume)
    possible = try_consuming (save, err);
  save->source_stays = possible == 0;
  return possible <= 0 ? possible
    : consume_open (&options, &save->consume, err);
}

int
save_prepare_estimate (struct save *save, struct error *err)
{
  return save_open_source (save, err) < 0 ? -1 : save_begin_image (save, err);
}

int
save_prepare (struct save *save, struct error *err)
{
  int result;

  if (save_wait (save, err) < 0 || save_open_source (save, err) < 0)
    return -1;
  result = save->resume ? save_prepare_again (save, err)
    : save_prepare_new (save, err);
  return result < 0 ? -1 : start_consuming (save, err);
}
