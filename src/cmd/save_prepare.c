/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress save: opening source and output. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/codec.h"
#include "cmd/save.h"
#include "cmd/save_private.h"
#include "cmd/signals.h"
#include "cmd/wait.h"

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

/* A source that will be consumed or replaced must be this process's alone; a caller that
 * passes a descriptor answers for its own.  What began with a descriptor that
 * can only be written goes on with it, before the image is known.
 */
int
save_open_source (struct save *save, struct error *err)
{
  const char *name = save->source_name;
  bool update = save->discard || (save->resume && is_write_only (name));
  enum file_access access = update ? FILE_UPDATE : FILE_READ;

  if (save->replace && replace_check (name, err) < 0)
    return -1;
  if ((save->discard || save->replace) && file_descriptor_of (name) < 0 &&
      check_writers (save, err) < 0)
    return -1;
  if (file_open (name, access, save->common.direct, &save->source, err) < 0)
    return -1;
  if (file_note_state (&save->source, &save->before, err) < 0)
    return -1;
  save->source.cancelled = signals_received ();
  if (save->source.stream)
    return refuse (name, "is not seekable, as SOURCE must be", err);
  if (save->discard && !save->source.regular)
    return refuse (name, "is not a regular file, as --discard needs", err);
  return file_lock (&save->source, save->discard, err);
}

/* With --discard the image must be able to become durable, elsewhere. */
int
save_check_output (struct save *save, struct error *err)
{
  if (save->discard && save->output.file.stream)
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
  save->source_whole = true;
  if (!save->has_image_id &&
      getrandom (header->image_id, IMAGE_ID_BYTES, 0) != IMAGE_ID_BYTES)
    return error_set (err, ERROR_FAILED, errno, "no random image id");
  header->major = FORMAT_MAJOR;
  header->minor = FORMAT_MINOR;
  header->prefix_bytes = save->layout.prefix_bytes;
  header->source_bytes = save->source.size;
  header->kind = save->layout.kind;
  header->compatible = (save->exact ? FEATURE_EXACT : 0) |
    (save->discard ? FEATURE_DISCARD : 0);
  return 0;
}

/* "auto" is zstd, its level chosen during the run where there are workers that
 * can be idle or not; the header names the one it starts with.
 */
static int
choose_codec (struct save *save, struct error *err)
{
  bool automatic = strcmp (save->codec_text, "auto") == 0;

  if (strncmp (save->codec_text, "auto:", 5) == 0 ||
      strncmp (save->codec_text, "auto,", 5) == 0)
    return error_set (err, ERROR_USAGE, 0,
                      "\"auto\" has neither level nor parameters");
  save->automatic = automatic && save->common.threads > 0;
  return codec_for_choice (save->common.plugin_folder,
                           automatic ? "zstd:1" : save->codec_text,
                           &save->header, &save->codec, err);
}

/* What --discard has finished with has its old size and is one hole. */
static int
check_not_consumed (const struct save *save, struct error *err)
{
  const struct file *source = &save->source;
  int empty;

  if ((!save->discard && !save->resume) || source->size == 0 ||
      file_next_data (source, 0) < source->size)
    return 0;
  empty = resume_source_is_empty (source, err);
  if (empty <= 0)
    return empty;
  error_set (err, ERROR_BAD_INPUT, 0, "holds nothing: an earlier run may have "
             "given all of it back");
  error_subject (err, save->source_name);
  return error_hint (err, "look for its image");
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

/* A new image; the output is open already when an earlier run left nothing of
 * use in it.
 */
int
save_prepare_new (struct save *save, struct error *err)
{
  if (choose_codec (save, err) < 0 || check_not_consumed (save, err) < 0 ||
      examine_source (save, err) < 0)
    return -1;
  if (save->output.file.fd >= 0)
    return file_truncate (&save->output.file, 0, err);
  if (open_output (save, err) < 0)
    return -1;
  return save_check_output (save, err);
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
      .begun = save->begun.consumed,
    },
    .batch_bytes = save->batch_bytes,
  };

  return save->discard ? consume_open (&options, &save->consume, err) : 0;
}

int
save_prepare_estimate (struct save *save, struct error *err)
{
  bool discard = save->discard;
  int result;

  save->discard = false;       /* looking does not need to write */
  result = save_open_source (save, err);
  save->discard = discard;
  if (result < 0)
    return -1;
  if (choose_codec (save, err) < 0)
    return -1;
  return examine_source (save, err);
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

/* The caller gave up: an inherited output is to be left empty.  The source is
 * not opened: its descriptor may be for writing only, and QEMU's too.
 */
static void
empty_descriptor (const struct save *save)
{
  int fd = file_descriptor_of (save->output_name);
  struct file file = FILE_CLOSED;
  struct error ignored = { 0 };

  if (fd < 0 || save->resume || may_name (save->source_name, fd))
    return;
  if (file_take_descriptor (fd, save->output_name, FILE_WRITE,
                            save->common.direct, &file, &ignored) == 0 &&
      file.regular && file_lock (&file, true, &ignored) == 0)
    file_truncate (&file, 0, &ignored);
  file_close (&file, &ignored);
}

/* Nothing of the source is looked at before QEMU has finished it. */
static int
wait_for_source (const struct save *save, struct error *err)
{
  if ((save->wait_fd < 0 || wait_for_byte (save->wait_fd, err) == 0) &&
      (save->wait_qmp == NULL || wait_for_qemu (save->wait_qmp, err) == 0))
    return 0;
  empty_descriptor (save);
  return -1;
}

int
save_prepare (struct save *save, struct error *err)
{
  int result;

  if (wait_for_source (save, err) < 0 || save_open_source (save, err) < 0)
    return -1;
  result = save->resume ? save_prepare_again (save, err) : save_prepare_new (save, err);
  return result < 0 ? -1 : start_consuming (save, err);
}
