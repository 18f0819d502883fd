/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OUTPUT as the command line names it, and its way to its final name. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/output.h"
#include "cmd/signals.h"
#include "pipeline/resume.h"

static int
fail (const char *subject, int errnum, const char *what, struct error *err)
{
  error_set (err, ERROR_FAILED, errnum, "%s", what);
  return error_subject (err, subject);
}

static int
fail_exists (const char *path, struct error *err)
{
  fail (path, EEXIST, "will not be overwritten", err);
  return error_hint (err, "use --force to replace it");
}

static int
refuse_input (const struct file *input, const struct file *output,
              struct error *err)
{
  if (input->stream || !file_same (input, output))
    return 0;
  error_set (err, ERROR_USAGE, 0, "is the input itself");
  return error_subject (err, output->name);
}

/* Whatever standard output is, it is written in order from where it stands. */
static int
open_stream (const struct file *input, struct output *output,
             struct error *err)
{
  struct file *file = &output->file;
  int flags = fcntl (STDOUT_FILENO, F_GETFL);

  snprintf (file->name, sizeof file->name, "standard output");
  if (flags < 0)
    return fail (file->name, errno, "cannot be written", err);
  if ((flags & O_ACCMODE) == O_RDONLY || isatty (STDOUT_FILENO)) {
    error_set (err, ERROR_USAGE, 0, "is not a place for data");
    return error_subject (err, file->name);
  }
  file->fd = STDOUT_FILENO;
  file->stream = true;
  return refuse_input (input, file, err);
}

static int
open_descriptor (int fd, const char *name, enum direct_io direct,
                 const struct file *input, struct output *output,
                 struct error *err)
{
  if (file_take_descriptor (fd, name, FILE_WRITE, direct, &output->file,
                            err) < 0 ||
      refuse_input (input, &output->file, err) < 0 ||
      file_lock (&output->file, true, err) < 0)
    return -1;
  if (output->file.regular)
    return file_truncate (&output->file, 0, err);
  return 0;
}

/* A device or a pipe with a name is written to directly. */
static int
open_special (const char *path, enum direct_io direct, struct output *output,
              struct error *err)
{
  output->path = path;
  return file_open (path, FILE_WRITE, direct, &output->file, err);
}

/* Lock the file for this run; two runs must not write the same one. */
static int
lock (const struct file *file, struct error *err)
{
  if (file_lock (file, true, err) < 0)
    return -1;
  /* The other one may have just finished and renamed it. */
  if (!file_has_name (file, file->name))
    return fail (file->name, 0, "another iopress has just used it", err);
  return 0;
}

/* Whether FILE is an image whose source was left whole: worth nothing while it
 * is unfinished.  Returns 1, 0, or -1 with ERR.
 */
static int
is_spare_image (struct file *file, struct error *err)
{
  struct error invalid = { 0 };
  struct image *image = NULL;
  int result;

  if (image_open (file, &image, &invalid) < 0) {
    if (invalid.kind == ERROR_BAD_INPUT)
      return 0;
    *err = invalid;
    return -1;
  }
  result = (image->header.compatible & FEATURE_DISCARD) == 0;
  image_close (image);
  return result;
}

/* Whether what an earlier run left in PATH.part may be overwritten. */
static int
check_leftover (struct output *output, enum output_kind kind, bool force,
                struct error *err)
{
  int spare;

  if (output->file.size == 0)
    return 0;
  spare = is_spare_image (&output->file, err);
  /* A power cut can leave the size and no byte. */
  if (spare == 0 && kind == OUTPUT_IMAGE)
    spare = resume_source_is_empty (&output->file, err);
  if (spare < 0)
    return -1;
  if (kind == OUTPUT_IMAGE ? spare > 0 : force && image_recognise
      (&output->file, err) == 0)
    return 0;
  fail (output->part, EEXIST, "left over from an earlier run", err);
  if (kind == OUTPUT_IMAGE && image_recognise (&output->file, err) > 0)
    return error_hint (err, "iopress save --resume goes on with it");
  return error_hint (err, "look at it, then remove it and try again");
}

static int
name_part (const char *path, struct output *output, struct error *err)
{
  int length = snprintf (output->part, sizeof output->part, "%s.part", path);

  if (length > 0 && (size_t) length < sizeof output->part)
    return 0;
  output->part[0] = '\0';
  return fail (path, ENAMETOOLONG, "cannot be created", err);
}

/* Whether what is to be written beside OUTPUT is the input; then with ERR. */
static bool
is_input_part (const struct file *input, const struct output *output,
               struct error *err)
{
  if (!file_has_name (input, output->part))
    return false;
  error_set (err, ERROR_USAGE, 0, "is the input itself, and is where %s would "
             "be written", output->path);
  error_subject (err, output->part);
  error_hint (err, "choose another name");
  return true;
}

/* Open PATH.part; LIKE, or NULL, is as for file_create. */
static int
open_part (const char *path, enum output_kind kind, bool force,
           const struct file *input, const struct file *like,
           enum direct_io direct, struct output *output, struct error *err)
{
  if (name_part (path, output, err) < 0)
    return -1;
  output->path = path;
  output->force = force;
  if (is_input_part (input, output, err) ||
      file_create (output->part, like, direct, &output->file, err) < 0 ||
      lock (&output->file, err) < 0 ||
      check_leftover (output, kind, force, err) < 0 ||
      file_truncate (&output->file, 0, err) < 0) {
    output->part[0] = '\0';    /* not ours to remove */
    return -1;
  }
  return 0;
}

/* It may have come while the other file was not locked yet. */
static int
check_still_new (struct output *output, struct error *err)
{
  struct stat st;

  if (output->force || lstat (output->path, &st) < 0)
    return 0;
  unlink (output->part);
  output->part[0] = '\0';
  return fail_exists (output->path, err);
}

static int
open_path (const char *path, enum output_kind kind, bool force,
           enum direct_io direct, const struct file *input,
           struct output *output, struct error *err)
{
  struct stat st;

  if (stat (path, &st) == 0) {
    if (S_ISDIR (st.st_mode))
      return fail (path, EISDIR, "cannot be written", err);
    if (!S_ISREG (st.st_mode))
      return open_special (path, direct, output, err);
    if (file_has_name (input, path)) {
      error_set (err, ERROR_USAGE, 0, "is the input itself");
      return error_subject (err, path);
    }
    if (!force)
      return fail_exists (path, err);
  }
  else if (errno != ENOENT)
    return fail (path, errno, "cannot be written", err);
  if (open_part (path, kind, force, input, NULL, direct, output, err) < 0)
    return -1;
  return check_still_new (output, err);
}

int
output_open (const char *name, enum output_kind kind, bool force,
             enum direct_io direct, const struct file *input,
             struct output *output, struct error *err)
{
  struct error ignored = { 0 };
  int fd = file_descriptor_of (name);
  int result;

  *output = (struct output) OUTPUT_CLOSED;
  if (strcmp (name, "-") == 0)
    result = open_stream (input, output, err);
  else if (fd >= 0)
    result = open_descriptor (fd, name, direct, input, output, err);
  else
    result = open_path (name, kind, force, direct, input, output, err);
  output->file.cancelled = signals_received ();
  if (result < 0)
    file_close (&output->file, &ignored);
  return result;
}

int
output_open_unnamed (const char *folder, enum direct_io direct,
                     struct output *output, struct error *err)
{
  *output = (struct output) OUTPUT_CLOSED;
  output->file.cancelled = signals_received ();
  return file_create_unnamed (folder, direct, &output->file, err);
}

int
output_open_beside (const char *path, enum direct_io direct,
                    const struct file *input, struct output *output,
                    struct error *err)
{
  struct error ignored = { 0 };
  int result;

  *output = (struct output) OUTPUT_CLOSED;
  result = open_part (path, OUTPUT_IMAGE, false, input, input, direct, output,
                      err);
  output->file.cancelled = signals_received ();
  if (result < 0)
    file_close (&output->file, &ignored);
  return result;
}

/* Open PATH.part or else PATH.  Returns 1, 0 when there is neither, or -1. */
static int
open_begun_path (const char *path, bool force, enum direct_io direct,
                 const struct file *input, struct output *output,
                 struct error *err)
{
  struct stat st;

  if (name_part (path, output, err) < 0)
    return -1;
  output->path = path;
  output->force = force;
  if (file_finish_naming (output->part, path, err) < 0)
    return -1;
  if (stat (output->part, &st) < 0) {
    if (errno != ENOENT)
      return fail (output->part, errno, "cannot be examined", err);
    output->part[0] = '\0';
    if (stat (path, &st) < 0)
      return errno == ENOENT ? 0
        : fail (path, errno, "cannot be examined", err);
  }
  else if (!force && lstat (path, &st) == 0)
    return fail_exists (path, err);
  if (output->part[0] != '\0' && is_input_part (input, output, err))
    return -1;
  if (file_open (output_name_now (output), FILE_UPDATE, direct, &output->file,
                 err) < 0 ||
      lock (&output->file, err) < 0)
    return -1;
  return 1;
}

int
output_open_begun (const char *name, bool force, enum direct_io direct,
                   const struct file *input, struct output *output,
                   struct error *err)
{
  int fd = file_descriptor_of (name);
  int result;

  *output = (struct output) OUTPUT_CLOSED;
  if (strcmp (name, "-") == 0) {
    error_set (err, ERROR_USAGE, 0, "--resume cannot go on with a stream");
    return error_subject (err, "standard output");
  }
  if (fd < 0)
    result = open_begun_path (name, force, direct, input, output, err);
  else if (file_take_descriptor (fd, name, FILE_UPDATE, direct,
                                 &output->file, err) < 0 ||
           file_lock (&output->file, true, err) < 0)
    result = -1;
  else
    result = output->file.size > 0;
  output->file.cancelled = signals_received ();
  if (result <= 0)
    output_keep (output);
  return result;
}

const char *
output_name_now (const struct output *output)
{
  return output->part[0] != '\0' ? output->part : output->path;
}

bool
output_is_there (const struct output *output)
{
  const char *name = output_name_now (output);

  return name == NULL || output->file.fd < 0 ||
    file_has_name (&output->file, name);
}

void
output_keep (struct output *output)
{
  struct error ignored = { 0 };

  file_close (&output->file, &ignored);
}

/* Take the place of whatever has the final name.  What cannot be flushed is
 * found out before; after that the new file stays.
 */
static int
take_name (struct output *output, struct error *err)
{
  if (file_sync_folder (output->path, err) < 0)
    return -1;
  if (rename (output->part, output->path) < 0)
    return fail (output->path, errno, "cannot get its final name", err);
  output->part[0] = '\0';
  return file_sync_folder (output->path, err);
}

/* Get the final name if it is still free. */
static int
take_new_name (struct output *output, struct error *err)
{
  if (file_name_new (output->part, output->path, err) < 0)
    return err->errnum != EEXIST ? -1
      : error_hint (err, "it came meanwhile and is not overwritten: move it "
                    "away and try again");
  /* Until the folder is synced the name is one to be taken back. */
  snprintf (output->part, sizeof output->part, "%s", output->path);
  if (file_sync_folder (output->path, err) < 0)
    return -1;
  output->part[0] = '\0';
  return 0;
}

/* Before the close gives up the lock. */
static int
name_output (struct output *output, struct error *err)
{
  if (file_check_name (&output->file, output->part, err) < 0 ||
      (output->force ? take_name (output, err)
       : take_new_name (output, err)) < 0)
    return -1;
  /* Another one may have got the name; or this has yet another already. */
  return file_has_name (&output->file, output->path) ? 0
    : file_check_linked (&output->file, err);
}

int
output_commit (struct output *output, struct error *err)
{
  struct file *file = &output->file;

  if (file_sync (file, err) < 0 || file_check_close (file, err) < 0)
    return -1;
  if (!file->direct)
    file_drop_cache (file, 0, 0);
  if (output->part[0] != '\0' && name_output (output, err) < 0)
    return -1;
  output->committed = true;
  return 0;
}

void
output_abandon (struct output *output)
{
  struct error ignored = { 0 };

  if (output->file.fd < 0)
    return;
  /* What is committed is durable: closing cannot lose anything any more. */
  if (!output->committed) {
    if (output->part[0] != '\0') {
      if (file_has_name (&output->file, output->part))
        unlink (output->part);
    }
    else if (output->file.regular && output->path == NULL)
      file_truncate (&output->file, 0, &ignored);
  }
  file_close (&output->file, &ignored);
}
