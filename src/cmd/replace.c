/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image takes the name and the place of its source (save --replace). */

#include <config.h>

#include <errno.h>
#include <string.h>

#include "safety/aside.h"
#include "cmd/image_input.h"
#include "safety/leftover.h"
#include "cmd/replace.h"
#include "cmd/say.h"
#include "image/content.h"
#include "io/file_copy.h"
#include "names/probe.h"
#include "safety/resume.h"

static int
fail (const char *subject, int errnum, const char *what, struct error *err)
{
  error_set (err, ERROR_FAILED, errnum, "%s", what);
  return error_subject (err, subject);
}

int
replace_check (const char *path, struct error *err)
{
  struct place place = PLACE_CLOSED;
  struct stat st;
  int there = -1;

  if (place_open (path, &place, err) == 0)
    there = place_look (&place, &st, err);
  place_close (&place);
  if (there < 0)
    return -1;
  if (there == 0)
    error_set (err, ERROR_FAILED, ENOENT, "cannot be opened");
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

/* What has to stand in the place of SOURCE, or where SOURCE is put. */
struct packed {
  const struct file *source;
  const struct file *image;
  const struct file_state *before;
  uint64_t prefix_bytes;
};

static int
check_name (const struct place *where, const struct file *file,
            struct error *err)
{
  struct stat named;
  int there = place_look (where, &named, err);

  if (there < 0)
    return -1;
  if (there == 0)
    return fail (file->name, 0, "was removed while it was packed", err);
  return place_has (where, file) ? 0
    : fail (file->name, 0, "was replaced while it was packed", err);
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

/* What has the name WHERE must be the source, as it was packed, and nobody may
 * be about to write to it.
 */
static int
check_source (void *opaque, const struct place *where, struct error *err)
{
  const struct packed *packed = opaque;

  if (check_name (where, packed->source, err) < 0 ||
      place_check_writers (where, err) < 0 ||
      file_check_cancelled (packed->image, err) < 0 ||
      file_check_state (packed->source, packed->before, err) < 0)
    return -1;
  return check_prefix (packed->source, packed->image, packed->prefix_bytes,
                       err);
}

int
replace_commit (struct output *output, const struct file *source,
                const struct file_state *before, uint64_t prefix_bytes,
                struct error *err)
{
  struct packed packed = {
    .source = source,
    .image = &output->file,
    .before = before,
    .prefix_bytes = prefix_bytes,
  };
  struct draft_check check = { .check = check_source, .opaque = &packed };
  const struct place *part = &output->draft.part;
  struct error useless = { 0 };

  if (file_copy_attributes (source, &output->file, err) < 0 ||
      draft_publish (&output->draft, DRAFT_EXCHANGED, &check, err) < 0)
    return -1;
  output->committed = true;
  /* The next run does that, too. */
  if (place_remove (part, source, &useless) < 0)
    say_note ("%s: is packed, but cannot be removed: %s", part->path,
              strerror (useless.errnum));
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

/* Whether SOURCE is what the image was made of, but perhaps for an edit of its
 * prefix.  Returns 1, 0, or -1 with ERR.
 */
static int
is_source_of (struct file *source, struct image_input *input, bool *edited,
              struct error *err)
{
  struct resume whole = {
    .image = input->image,
    .complete = true,
    .covered_bytes = input->image->header.source_bytes,
  };
  struct image_view *view = NULL;
  struct error differs = { 0 };
  int result = -1;

  if (file_same (source, &input->file))
    return 0;
  if (image_view_open (input->image, &input->decoding, NULL, &view,
                       err) < 0)
    return -1;
  if (resume_check_source (&whole, source, view, &differs) == 0)
    result = 1;
  else if (differs.kind == ERROR_BAD_INPUT)
    result = 0;
  else
    *err = differs;
  *edited = whole.prefix_differs;
  image_view_close (view);
  return result;
}

/* What may stand under SOURCE.part. */
struct judgement {
  const struct common_options *common;
  struct file *source;
};

/* A finished image of a source that is still there goes, too: all it has is in
 * that, which says what belongs before it.
 */
static int
judge_leftover (void *opaque, struct file *file, struct error *err)
{
  const struct judgement *judgement = opaque;
  struct image_input input = IMAGE_INPUT_CLOSED;
  struct error useless = { 0 };
  int unwanted = leftover_of_save (file, err);
  bool edited;

  if (unwanted == 0) {
    if (image_input_take (file, judgement->common, &input, &useless) == 0)
      unwanted = is_source_of (judgement->source, &input, &edited, err);
    *file = input.file;
    input.file = (struct file) FILE_CLOSED;
    image_input_close (&input, false);
  }
  return unwanted == 0 ? leftover_refuse (file, err) : unwanted < 0 ? -1 : 0;
}

int
replace_open (const char *path, const struct common_options *common,
              struct file *source, struct output *output, struct error *err)
{
  struct judgement judgement = { .common = common, .source = source };
  struct place_owners owners = { .like = source };
  struct draft_leftover leftover = {
    .judge = judge_leftover,
    .opaque = &judgement,
    .owners = &owners,
  };

  if (output_open_beside (path, common->direct, source, &leftover, output,
                          err) < 0)
    return -1;
  if (probe_exchange (&output->draft.part, &output->file, err) == 0)
    return 0;
  /* It was created here, and is empty. */
  output_abandon (output);
  return -1;
}

/* Whether PART, open, may go: it is what the image was made of, and no edit of it
 * was lost.  Returns 1, 0, or -1 with ERR.
 */
static int
judge_source (struct file *part, struct image_input *input, struct error *err)
{
  bool edited = false;
  int same = is_source_of (part, input, &edited, err);

  if (same > 0 && edited)
    return is_image_edited (part, &input->file, err);
  return same;
}

/* Remove PART, which is the source.  The image has to be durable before. */
static int
remove_source (const struct draft *draft, const struct file *part,
               struct file *image, struct error *err)
{
  if (file_sync (image, err) < 0 || place_sync (&draft->place, err) < 0 ||
      place_check (&draft->place, image, err) < 0)
    return -1;
  return place_remove (&draft->part, part, err) < 0 ? -1 : 0;
}

/* Remove what an earlier run has left of the source, if it is that. */
static int
finish (const struct draft *draft, const struct common_options *common,
        struct image_input *input, struct error *err)
{
  struct place_owners owners = { .like = &input->file, .folder = true };
  struct error ignored = { 0 };
  struct file part = FILE_CLOSED;
  enum place_found found = place_open_found (&draft->part, &owners, false,
                                             common->direct, &part, err);
  int result = found == PLACE_ERROR ? -1 : 0;

  if (found == PLACE_OURS) {
    result = judge_source (&part, input, err);
    if (result > 0)
      result = remove_source (draft, &part, &input->file, err);
    else if (result == 0)
      say_note ("%s: is not what %s was packed from, and stays",
                draft->part.path, draft->place.path);
  }
  else if (found == PLACE_FOREIGN) {
    say_note ("%s: %s; it stays", draft->part.path, err->what);
    *err = (struct error) { 0 };
  }
  file_close (&part, &ignored);
  return result;
}

static int
clean_up (const char *path, const struct common_options *common,
          struct error *err)
{
  struct image_input input = IMAGE_INPUT_CLOSED;
  struct draft draft = DRAFT_CLOSED;
  int result = image_input_open (path, common, &input, err);

  if (result == 0)
    result = file_lock (&input.file, false, err);
  if (result == 0)
    result = draft_open (path, &draft, err);
  if (result == 0)
    result = finish (&draft, common, &input, err);
  draft_close (&draft);
  image_input_close (&input, result == 0);
  return result;
}

int
replace_is_done (const char *path, const struct common_options *common,
                 struct error *err)
{
  struct error ignored = { 0 };
  struct file file = FILE_CLOSED;
  struct content content;
  struct read_at at;
  int result = file_open (path, FILE_READ, common->direct, &file, err);

  if (result == 0) {
    at = read_at_of_file (&file);
    result = content_look (&at, CONTENT_SEARCH_USUAL, &content, err);
    content_free (&content);
  }
  file_close (&file, &ignored);
  if (result < 0 || !content_is_image (&content))
    return result;
  if (clean_up (path, common, err) < 0)
    return -1;
  if (!common->quiet)
    say_note ("%s: is an image already", path);
  return 1;
}
