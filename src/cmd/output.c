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
#include "image/image.h"
#include "safety/leftover.h"
#include "util/cleanup.h"

static int
fail_exists (const char *path, struct error *err)
{
  error_about (err, ERROR_FAILED, EEXIST, path, "will not be overwritten");
  return error_hint (err, "choose another name; --force would replace it");
}

static int
refuse_input (const struct file *input, const struct file *output,
              struct error *err)
{
  if (input->stream || !file_same (input, output))
    return 0;
  return error_about (err, ERROR_USAGE, 0, output->name,
                      "is the input itself");
}

/* Whether what goes to standard output, open with FLAGS, takes the place of
 * bytes that a file has.
 */
static bool
overwrites (int flags)
{
  struct stat st;

  return (flags & O_APPEND) == 0 && fstat (STDOUT_FILENO, &st) == 0 &&
    S_ISREG (st.st_mode) && lseek (STDOUT_FILENO, 0, SEEK_CUR) < st.st_size;
}

/* Whatever standard output is, it is written in order from where it stands. */
static int
open_stream (struct file_how how, const struct file *input,
             struct output *output, struct error *err)
{
  struct file *file = &output->file;
  int flags = fcntl (STDOUT_FILENO, F_GETFL);

  snprintf (file->name, sizeof file->name, "standard output");
  if (flags < 0)
    return error_about (err, ERROR_FAILED, errno, file->name,
                        "cannot be written");
  if ((flags & O_ACCMODE) == O_RDONLY || isatty (STDOUT_FILENO))
    return error_about (err, ERROR_USAGE, 0, file->name,
                        "is not a place for data");
  file->fd = STDOUT_FILENO;
  file->how = how;
  file->stream = true;
  if (refuse_input (input, file, err) < 0)
    return -1;
  return overwrites (flags)
    ? leftover_check_replaced (file->fd, file->name, FILE_UPDATE, input, err)
    : 0;
}

static int
open_descriptor (int fd, const char *name, struct file_how how,
                 const struct file *input, struct output *output,
                 struct error *err)
{
  if (file_take_descriptor (fd, name, FILE_WRITE, how, &output->file,
                            err) < 0 ||
      refuse_input (input, &output->file, err) < 0 ||
      file_lock (&output->file, true, err) < 0)
    return -1;
  if (!output->file.regular)
    return 0;
  return leftover_check_replaced (fd, name, FILE_UPDATE, input, err) < 0 ? -1
    : file_truncate (&output->file, 0, err);
}

/* A device or a pipe with a name is written to directly. */
static int
open_special (int node, const struct file *input, struct file_how how,
              struct output *output, struct error *err)
{
  return file_open_node (node, output->path, FILE_WRITE, how, &output->file,
                         err) < 0 ? -1
    : refuse_input (input, &output->file, err);
}

/* Refuse when what is to be written beside OUTPUT is the input. */
static int
refuse_input_part (const struct file *input, const struct output *output,
                   struct error *err)
{
  const struct place *part = &output->draft.part;

  if (!place_leads_to (part, input))
    return 0;
  error_about (err, ERROR_USAGE, 0, part->path, "is the input itself, and is "
               "where %s would be written", output->path);
  return error_hint (err, "choose another name");
}

static int
judge_image (void *opaque, struct file *file, struct error *err)
{
  int unwanted = leftover_of_save (file, err);

  (void) opaque;
  return unwanted == 0 ? leftover_refuse (file, err) : unwanted < 0 ? -1 : 0;
}

static int
judge_source (void *opaque, struct file *file, struct error *err)
{
  const struct output *output = opaque;
  int unwanted = leftover_of_restore (file, output->force, err);

  return unwanted == 0 ? leftover_refuse (file, err) : unwanted < 0 ? -1 : 0;
}

static int
create_part (const struct file *input, const struct draft_leftover *leftover,
             struct file_how how, struct output *output, struct error *err)
{
  if (refuse_input_part (input, output, err) < 0 ||
      draft_finish_naming (&output->draft, err) < 0 ||
      draft_create (&output->draft, leftover, how, &output->file, err) < 0)
    return -1;
  output->part = output->draft.part.path;
  return 0;
}

/* It may have come while the other file was not locked yet. */
static int
check_still_new (struct output *output, struct error *err)
{
  struct stat st;
  int there = output->force ? 0 : place_look (&output->draft.place, &st, err);

  if (there == 0)
    return 0;
  draft_drop (&output->draft);
  output->part = "";
  output->draft.name_taken = there > 0;
  return there < 0 ? -1 : fail_exists (output->path, err);
}

/* Refuse when OUTPUT's name leads to the input. */
static int
refuse_input_name (const struct file *input, const struct output *output,
                   struct error *err)
{
  return !place_leads_to (&output->draft.place, input) ? 0
    : error_about (err, ERROR_USAGE, 0, output->path, "is the input itself");
}

/* The regular file NODE, from place_find, has the name of OUTPUT. */
static int
judge_replaced (struct output *output, int node, const struct file *input,
                struct error *err)
{
  int result = output->force
    ? leftover_check_replaced (node, output->path, FILE_READ, input, err)
    : fail_exists (output->path, err);

  output->draft.name_taken = result < 0;
  return result;
}

/* What PATH leads to, if anything, is open as NODE.  Returns 1 when it is to be
 * written directly, 0 when a file takes its name, or -1 with ERR.
 */
static int
judge_path (struct output *output, int node, const struct file *input,
            struct error *err)
{
  struct stat st;

  if (node < 0)
    return errno == ENOENT ? 0
      : error_about (err, ERROR_FAILED, errno, output->path,
                     "cannot be written");
  if (fstat (node, &st) < 0)
    return error_about (err, ERROR_FAILED, errno, output->path,
                        "cannot be examined");
  if (S_ISDIR (st.st_mode))
    return error_about (err, ERROR_FAILED, EISDIR, output->path,
                        "cannot be written");
  if (!S_ISREG (st.st_mode))
    return 1;
  if (refuse_input_name (input, output, err) < 0)
    return -1;
  return judge_replaced (output, node, input, err);
}

static int
open_path (struct output_how how, const struct file *input,
           struct output *output, struct error *err)
{
  struct draft_leftover leftover = {
    .judge = how.kind == OUTPUT_IMAGE ? judge_image : judge_source,
    .opaque = output,
  };
  CLEANUP_CLOSE int node = -1;
  int special;

  if (draft_open (output->path, &output->draft, err) < 0)
    return -1;
  node = place_find (&output->draft.place);
  special = judge_path (output, node, input, err);
  if (special != 0)
    return special < 0 ? -1
      : open_special (node, input, how.file, output, err);
  if (create_part (input, &leftover, how.file, output, err) < 0)
    return -1;
  return check_still_new (output, err);
}

/* How every way to open it ends.  Returns RESULT. */
static int
opened (struct output *output, int result)
{
  if (result < 0)
    output_keep (output);
  return result;
}

int
output_open (const char *name, struct output_how how, const struct file *input,
             struct output *output, struct error *err)
{
  int fd = file_descriptor_of (name);

  *output = (struct output) OUTPUT_CLOSED;
  output->force = how.force;
  if (strcmp (name, "-") == 0)
    return opened (output, open_stream (how.file, input, output, err));
  if (fd >= 0)
    return opened (output, open_descriptor (fd, name, how.file, input, output,
                                            err));
  output->path = name;
  return opened (output, open_path (how, input, output, err));
}

int
output_open_unnamed (const char *folder, struct file_how how,
                     struct output *output, struct error *err)
{
  *output = (struct output) OUTPUT_CLOSED;
  return file_create_unnamed (folder, how, &output->file, err);
}

int
output_open_beside (const char *path, struct file_how how,
                    const struct file *input,
                    const struct draft_leftover *leftover,
                    struct output *output, struct error *err)
{
  *output = (struct output) OUTPUT_CLOSED;
  output->path = path;
  if (draft_open (path, &output->draft, err) < 0)
    return opened (output, -1);
  return opened (output, create_part (input, leftover, how, output, err));
}

/* Open PATH.part or else PATH.  Returns 1, 0 when there is neither, or -1. */
static int
reopen_path (struct file_how how, const struct file *input,
             struct output *output, struct error *err)
{
  struct draft *draft = &output->draft;
  CLEANUP_CLOSE int node = -1;
  enum place_found found;
  struct stat st;
  int there;

  if (draft_open (output->path, draft, err) < 0 ||
      refuse_input_name (input, output, err) < 0 ||
      draft_finish_naming (draft, err) < 0 ||
      (there = place_look (&draft->place, &st, err)) < 0 ||
      refuse_input_part (input, output, err) < 0)
    return -1;
  found = draft_take_up (draft, how, &output->file, err);
  if (found == PLACE_NOTHING)
    return there == 0 ? 0
      : draft_take_published (draft, how, &output->file, err) < 0 ? -1 : 1;
  if (found == PLACE_FOREIGN)
    err->kind = ERROR_BAD_INPUT;
  if (found != PLACE_OURS)
    return -1;
  if (there > 0) {
    node = place_find (&draft->place);
    if (judge_replaced (output, node, input, err) < 0)
      return -1;
  }
  output->part = draft->part.path;
  return 1;
}

int
output_reopen (const char *name, struct output_how how,
               const struct file *input, struct output *output,
               struct error *err)
{
  int fd = file_descriptor_of (name);
  int result;

  *output = (struct output) OUTPUT_CLOSED;
  output->force = how.force;
  if (strcmp (name, "-") == 0)
    return error_about (err, ERROR_USAGE, 0, "standard output",
                        "--resume cannot go on with a stream");
  output->path = fd < 0 ? name : NULL;
  if (fd < 0)
    result = reopen_path (how.file, input, output, err);
  else if (file_take_descriptor (fd, name, FILE_UPDATE, how.file,
                                 &output->file, err) < 0 ||
           refuse_input (input, &output->file, err) < 0 ||
           file_lock (&output->file, true, err) < 0)
    result = -1;
  else
    result = output->file.size > 0;
  if (result == 0)
    output_keep (output);
  return opened (output, result);
}

int
output_make_private (const struct output *output, struct error *err)
{
  return output->part[0] != '\0' ? draft_make_private (&output->draft, err)
    : 0;
}

const struct draft *
output_draft (const struct output *output)
{
  return output->draft.file != NULL ? &output->draft : NULL;
}

bool
output_is_there (const struct output *output)
{
  const struct draft *draft = output_draft (output);
  struct error gone = { 0 };

  return draft == NULL || output->file.fd < 0 ||
    draft_check_name (draft, &gone) == 0;
}
