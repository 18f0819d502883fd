/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image takes the name and the place of its source (save --replace). */

#include <config.h>

#include <errno.h>

#include "image/content.h"
#include "io/file_copy.h"
#include "safety/aside.h"
#include "safety/leftover.h"
#include "safety/replace.h"
#include "safety/resume.h"

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
    return error_about (err, ERROR_FAILED, ENOENT, path, "cannot be opened");
  if (S_ISLNK (st.st_mode))
    return error_about (err, ERROR_USAGE, 0, path, "is a symbolic link: with "
                        "--replace name the file itself");
  if (!S_ISREG (st.st_mode))
    return error_about (err, ERROR_USAGE, 0, path,
                        "is not a regular file, as --replace needs");
  return aside_name_fits (path) ? 0
    : error_about (err, ERROR_FAILED, ENAMETOOLONG, path,
                   "could not be expanded again");
}

/* What changes names. */
struct exchange {
  const struct replace *replace;
  const struct file *image;
};

int
replace_check_name (const struct place *place, const struct file *source,
                    struct error *err)
{
  struct stat named;
  int there = place_look (place, &named, err);

  if (there < 0)
    return -1;
  if (there == 0)
    return error_about (err, ERROR_FAILED, 0, source->name,
                        "was removed while it was packed");
  return place_has (place, source) ? 0
    : error_about (err, ERROR_FAILED, 0, source->name,
                   "was replaced while it was packed");
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
  const struct exchange *exchange = opaque;
  const struct replace *replace = exchange->replace;

  if (replace_check_name (where, replace->source, err) < 0 ||
      place_check_writers (where, err) < 0 ||
      file_check_cancelled (exchange->image, err) < 0 ||
      file_check_state (replace->source, replace->before, err) < 0)
    return -1;
  return check_prefix (replace->source, exchange->image, replace->prefix_bytes,
                       err);
}

int
replace_publish (struct draft *draft, const struct replace *replace,
                 struct error *left, struct error *err)
{
  struct exchange exchange = { .replace = replace, .image = draft->file };
  struct draft_check check = { .check = check_source, .opaque = &exchange };

  if (file_copy_attributes (replace->source, draft->file, err) < 0 ||
      draft_publish (draft, DRAFT_EXCHANGED, &check, err) < 0)
    return -1;
  if (place_remove (&draft->part, replace->source, left) < 0)
    error_context (left, "is packed, and not needed any more");
  return 0;
}

/* The heads of PART and of the image differ: whether that of the image has been
 * edited since, which was written after the source.  Else the source was, in
 * the instant before the exchange, when all of the image had been written.
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
  struct source_layout layout = { .ram = NULL };
  struct error differs = { 0 };
  int result;

  if (file_same (source, &input->file))
    return 0;
  result = resume_check_source (&whole, source, &input->decoding, &layout,
                                &differs);
  source_layout_free (&layout);
  *edited = whole.prefix_differs;
  if (result < 0 && differs.kind != ERROR_BAD_INPUT) {
    *err = differs;
    return -1;
  }
  return result == 0;
}

int
replace_judge (void *opaque, struct file *file, struct error *err)
{
  const struct replace *replace = opaque;
  struct image_input input = IMAGE_INPUT_CLOSED;
  struct error useless = { 0 };
  int unwanted = leftover_of_save (file, err);
  bool edited;

  if (unwanted == 0) {
    if (image_input_take (file, &replace->options, &input, &useless) == 0)
      unwanted = is_source_of (replace->source, &input, &edited, err);
    *file = input.file;
    input.file = (struct file) FILE_CLOSED;
    image_input_close (&input);
  }
  return unwanted == 0 ? leftover_refuse (file, err) : unwanted < 0 ? -1 : 0;
}

/* Whether PART, open, may go: it is what the image was made of, and no edit of
 * it was lost.  Returns 1, 0, or -1 with ERR.
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
finish (const struct draft *draft, struct image_input *input,
        struct error *stays, struct error *err)
{
  struct place_owners owners = { .like = &input->file, .folder = true };
  struct file part = FILE_CLOSED;
  enum place_found found = place_open_found (&draft->part, &owners, false,
                                             input->file.how, &part, err);
  int result = found == PLACE_ERROR ? -1 : 0;

  if (found == PLACE_OURS) {
    result = judge_source (&part, input, err);
    if (result > 0)
      result = remove_source (draft, &part, &input->file, err);
    else if (result == 0)
      error_about (stays, ERROR_FAILED, 0, draft->part.path,
                   "is not what %s was packed from, and stays",
                   draft->place.path);
  }
  else if (found == PLACE_FOREIGN) {
    error_about (stays, ERROR_FAILED, 0, draft->part.path, "%s; it stays",
                 err->what);
    *err = (struct error) { 0 };
  }
  file_close (&part);
  return result;
}

/* FILE, an image under the name PATH, is INPUT's from now on. */
static int
clean_up (const char *path, struct file *file,
          const struct image_options *options, struct error *stays,
          struct error *err)
{
  struct image_input input = IMAGE_INPUT_CLOSED;
  struct draft draft = DRAFT_CLOSED;
  int result = image_input_take (file, options, &input, err);

  if (result == 0)
    result = file_lock (&input.file, false, err);
  if (result == 0)
    result = draft_open (path, &draft, err);
  if (result == 0)
    result = finish (&draft, &input, stays, err);
  draft_close (&draft);
  image_input_close (&input);
  return result;
}

int
replace_is_done (const char *path, const struct image_options *options,
                 struct error *stays, struct error *err)
{
  struct file file = FILE_CLOSED;
  struct content content;
  struct read_at at;
  int result = file_open_seekable (path, "SOURCE must be", FILE_READ,
                                   options->how, &file, err);

  if (result == 0) {
    at = read_at_of_file (&file);
    result = content_look (&at, CONTENT_SEARCH_USUAL, &content, err);
    content_free (&content);
  }
  if (result == 0 && content_is_image (&content))
    result = clean_up (path, &file, options, stays, err) < 0 ? -1 : 1;
  file_close (&file);
  return result;
}
