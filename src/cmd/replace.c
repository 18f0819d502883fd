/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image takes the name and the place of its source (save --replace). */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/aside.h"
#include "cmd/image_input.h"
#include "cmd/replace.h"
#include "cmd/say.h"
#include "io/file_copy.h"
#include "pipeline/resume.h"

static int
fail (const char *subject, int errnum, const char *what, struct error *err)
{
  error_set (err, ERROR_FAILED, errnum, "%s", what);
  return error_subject (err, subject);
}

int
replace_check (const char *path, struct error *err)
{
  struct stat st;

  if (lstat (path, &st) < 0)
    error_set (err, ERROR_FAILED, errno, "cannot be opened");
  else if (S_ISLNK (st.st_mode))
    error_set (err, ERROR_USAGE, 0,
               "is a symbolic link: with --replace name the file itself");
  else if (!S_ISREG (st.st_mode))
    error_set (err, ERROR_USAGE, 0,
               "is not a regular file, as --replace needs");
  else if (!aside_name_fits (path))
    error_set (err, ERROR_FAILED, ENAMETOOLONG,
               "could not be expanded again");
  else
    return 0;
  return error_subject (err, path);
}

/* Refuse when PATH does not lead to the file that FILE has open. */
static int
check_name (const char *path, const struct file *file, struct error *err)
{
  struct stat named;

  if (lstat (path, &named) < 0)
    return errno == ENOENT
      ? fail (file->name, 0, "was removed while it was packed", err)
      : fail (path, errno, "cannot be examined", err);
  if (!S_ISLNK (named.st_mode) && file_has_name (file, path))
    return 0;
  return fail (file->name, 0, "was replaced while it was packed", err);
}

static int
exchange (const char *part, const char *path, struct error *err)
{
  if (renameat2 (AT_FDCWD, part, AT_FDCWD, path, RENAME_EXCHANGE) == 0)
    return 0;
  if (errno == ENOENT)
    return fail (path, 0, "was removed while it was packed", err);
  if (errno != EINVAL && errno != ENOSYS)
    return fail (path, errno, "cannot be replaced by its image", err);
  fail (path, 0, "its file system cannot exchange two names", err);
  return error_hint (err, "save to another name without --replace");
}

/* Times can be too coarse to tell that virsh has edited the prefix. */
static int
check_prefix (const struct file *source, const struct file *image,
              uint64_t prefix_bytes, struct error *err)
{
  int same = file_same_bytes (source, image, prefix_bytes, err);

  if (same != 0)
    return same < 0 ? -1 : 0;
  return file_refuse_changed (source, err);
}

/* After the exchange: what has the name PART now must be the source, as it was
 * packed, and nobody may be about to write to it.
 */
static int
check_exchanged (const struct output *output, const struct file *source,
                 const struct file_state *before, uint64_t prefix_bytes,
                 struct error *err)
{
  if (check_name (output->part, source, err) < 0 ||
      file_check_writers (output->part, err) < 0 ||
      file_check_state (source, before, err) < 0)
    return -1;
  return check_prefix (source, &output->file, prefix_bytes, err);
}

/* Give both files their old names.  Whatever has the name PART is kept unless
 * it is the image.
 */
static void
take_back (struct output *output, struct error *err)
{
  struct error ignored = { 0 };

  if (exchange (output->part, output->path, &ignored) == 0 &&
      check_name (output->part, &output->file, &ignored) == 0)
    return;
  error_hint (err, "what had this name is %s now", output->part);
  output->part[0] = '\0';
}

int
replace_commit (struct output *output, const struct file *source,
                const struct file_state *before, uint64_t prefix_bytes,
                struct error *err)
{
  if (file_copy_attributes (source, &output->file, err) < 0 ||
      file_sync_whole (&output->file, err) < 0 ||
      file_check_close (&output->file, err) < 0)
    return -1;
  if (!output->file.direct)
    file_drop_cache (&output->file, 0, 0);
  if (file_check_cancelled (&output->file, err) < 0 ||
      file_check_state (source, before, err) < 0 ||
      check_name (output->path, source, err) < 0 ||
      file_check_name (&output->file, output->part, err) < 0 ||
      exchange (output->part, output->path, err) < 0)
    return -1;
  if (file_check_name (&output->file, output->path, err) < 0 ||
      check_exchanged (output, source, before, prefix_bytes, err) < 0 ||
      file_sync_folder (output->path, err) < 0) {
    take_back (output, err);
    return -1;
  }
  output->committed = true;
  /* The next run does that, too. */
  if (unlink (output->part) < 0)
    say_note ("%s: is packed, but cannot be removed: %s", output->part,
              strerror (errno));
  return 0;
}

/* The heads of PART and of the image differ: whether that of the image has been
 * edited since, which was written after the source.  Else the source was, in the
 * instant before the exchange, when all of the image had been written.
 */
static int
is_image_edited (const struct file *part, const struct file *image,
                 struct error *err)
{
  struct file_state source, packed;

  if (file_note_state (part, &source, err) < 0 ||
      file_note_state (image, &packed, err) < 0)
    return -1;
  return source.modified.tv_sec < packed.modified.tv_sec ||
    (source.modified.tv_sec == packed.modified.tv_sec &&
     source.modified.tv_nsec < packed.modified.tv_nsec);
}

/* Whether PART is what the image was made of.  Returns 1, 0, or -1 with ERR. */
static int
is_source_of (struct file *part, struct image_input *input, struct error *err)
{
  struct resume whole = {
    .image = input->image,
    .complete = true,
    .covered_bytes = input->image->header.source_bytes,
  };
  struct image_view *view = NULL;
  struct error differs = { 0 };
  int result = -1;

  if (image_view_open (input->image, &input->decoding, NULL, &view,
                       err) < 0)
    return -1;
  if (resume_check_source (&whole, part, view, &differs) == 0)
    result = whole.prefix_differs ? is_image_edited (part, &input->file, err)
      : 1;
  else if (differs.kind == ERROR_BAD_INPUT)
    result = 0;
  else
    *err = differs;
  image_view_close (view);
  return result;
}

/* Remove what an earlier run has left of the source, if it is that. */
static int
remove_source (const char *path, const char *part,
               const struct common_options *common, struct image_input *input,
               struct error *err)
{
  struct error ignored = { 0 };
  struct file file = FILE_CLOSED;
  int same = -1;

  if (file_open (part, FILE_READ, common->direct, &file, err) == 0)
    same = is_source_of (&file, input, err);
  file_close (&file, &ignored);
  if (same < 0 || (same > 0 && (file_sync (&input->file, err) < 0 ||
                                file_sync_folder (path, err) < 0)))
    return -1;
  if (same == 0)
    say_note ("%s: is not what %s was packed from, and stays", part, path);
  else if (unlink (part) < 0)
    return fail (part, errno, "is packed, but cannot be removed", err);
  return 0;
}

static int
clean_up (const char *path, const struct common_options *common,
          struct error *err)
{
  struct image_input input = IMAGE_INPUT_CLOSED;
  char part[4096];
  struct stat st;
  int result = image_input_open (path, common, &input, err);

  if (result == 0)
    result = file_lock (&input.file, false, err);
  if (result == 0 &&
      (size_t) snprintf (part, sizeof part, "%s.part", path) < sizeof part &&
      lstat (part, &st) == 0)
    result = remove_source (path, part, common, &input, err);
  image_input_close (&input, result == 0);
  return result;
}

int
replace_is_done (const char *path, const struct common_options *common,
                 struct error *err)
{
  struct error ignored = { 0 };
  struct file file = FILE_CLOSED;
  int image = -1;

  if (file_open (path, FILE_READ, common->direct, &file, err) == 0)
    image = image_recognise (&file, err);
  file_close (&file, &ignored);
  if (image <= 0)
    return image;
  if (clean_up (path, common, err) < 0)
    return -1;
  if (!common->quiet)
    say_note ("%s: is an image already", path);
  return 1;
}
