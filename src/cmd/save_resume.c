/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress save --resume: taking up what an earlier run has left.
 *
 * Nothing of an image is cut off or written over without proof that the source
 * still has it: its marker says so, or it has no marker and differs in nothing
 * from any whole record.  A finished image is never changed.
 */

#include <config.h>

#include <errno.h>
#include <unistd.h>

#include "cmd/codec.h"
#include "cmd/save.h"
#include "image/image_input.h"

static int
refuse_output (const struct save *save, const char *what, const char *hint,
               struct error *err)
{
  error_about (err, ERROR_BAD_INPUT, 0, save->output.file.name, "%s", what);
  return error_hint (err, "%s", hint);
}

/* The image has its final name.  A descriptor's file has none. */
static bool
has_final_name (const struct save *save)
{
  return save->output.path != NULL && save->output.part[0] == '\0';
}

/* Open the image that an earlier run began.  Returns 1; 0 when there is no
 * image in what is open, if anything is, and the source is whole; -1 with ERR.
 */
static int
open_earlier (struct save *save, struct error *err)
{
  const struct save_options *options = save->options;
  struct output *output = &save->output;
  struct error invalid = { 0 };
  int found = output_reopen (options->output_name, save_output_how (options),
                             &save->source, output, err);

  if (found <= 0)
    return found;
  if (save_check_output (save, err) < 0)
    return -1;
  /* What is on the disk counts, not what the page cache believes. */
  if (!output->file.direct)
    file_drop_cache (&output->file, 0, 0);
  if (image_open (&output->file, &save->image, &invalid) == 0)
    return 1;
  if (invalid.kind == ERROR_BAD_INPUT && !has_final_name (save) &&
      save->earlier.left == SOURCE_WHOLE)
    return 0;
  *err = invalid;
  return -1;
}

/* Begin a new image in the output that is open, with the options of the command
 * line.
 */
static int
begin_anew (struct save *save, struct error *err)
{
  if (output_make_private (&save->output, err) < 0 ||
      file_truncate (&save->output.file, 0, err) < 0)
    return -1;
  save->new_output = true;
  return 0;
}

/* The output that is open is no image: nobody can want the head of one whose
 * records were never written.
 */
static int
begin_over_head (struct save *save, struct error *err)
{
  int bare;

  if (save_begin_image (save, err) < 0)
    return -1;
  bare = resume_is_bare_head (&save->output.file, &save->source,
                              save->header.prefix_bytes, err);
  if (bare < 0)
    return -1;
  return bare > 0 ? begin_anew (save, err)
    : refuse_output (save, "is neither an image nor the beginning of one",
                     "look at it: iopress recover saves what is whole of an "
                     "image", err);
}

static int
reopen_source (struct save *save, bool consumes, struct error *err)
{
  if (consumes == save->consumes)
    return 0;
  file_close (&save->source);
  save->consumes = consumes;
  return save_open_source (save, err);
}

/* The source is whole, and so is in it what there is of the image. */
static int
start_over (struct save *save, struct error *err)
{
  image_close (save->image);
  save->image = NULL;
  save->earlier = (struct resume) { .left = SOURCE_WHOLE };
  codec_unload (save->codec);
  save->codec = NULL;
  source_layout_free (&save->layout);
  if (reopen_source (save, save->options->discard, err) < 0 ||
      save_begin_image (save, err) < 0)
    return -1;
  return begin_anew (save, err);
}

/* Refuse an image that is not complete, and not to be changed. */
static int
check_may_go_on (const struct save *save, struct error *err)
{
  if (save->earlier.complete)
    return 0;
  if (save->earlier.finished)
    return refuse_output (save, "is a finished image, and damaged",
                          "keep SOURCE, iopress recover saves what is whole",
                          err);
  if (has_final_name (save))
    return refuse_output (save, "is damaged, or unfinished under the name of a "
                          "finished image", "iopress recover saves what is "
                          "whole; what a run left unfinished can go on as "
                          "OUTPUT.part", err);
  return 0;
}

/* The heads of image and source differ, all else is the same.  That of a
 * finished image may have been edited since, unless it is a .part, which nobody
 * uses, or is just lost.
 */
static int
resolve_heads (struct save *save, struct error *err)
{
  const struct resume *earlier = &save->earlier;
  bool used = save->output.part[0] == '\0' && !earlier->prefix_lost;

  if (!earlier->complete || (!has_final_name (save) && !used))
    return start_over (save, err);
  if (!save->consumes)
    return 0;
  error_about (err, ERROR_BAD_INPUT, 0, save->output.file.name,
               "its head and that of %s differ: one of them was edited",
               save->options->source_name);
  return error_hint (err, "look at both, then pack it to another name");
}

/* Take up what an earlier run began: its header says how to go on. */
static int
take_up (struct save *save, struct error *err)
{
  struct resume *earlier = &save->earlier;
  struct decoding decoding = {
    .header = &save->header,
    .name = save->output.file.name,
  };

  if (resume_walk (save->image, earlier, err) < 0 ||
      check_may_go_on (save, err) < 0)
    return -1;
  save->header = save->image->header;
  if (codec_for_image (save->options->common.plugin_folder, &save->header,
                       &save->codec, err) < 0)
    return error_subject (err, save->output.file.name);
  decoding.codec = save->codec;
  if (resume_check_source (earlier, &save->source, &decoding, &save->layout,
                           err) < 0)
    return -1;
  if (earlier->prefix_differs)
    return resolve_heads (save, err);
  if (earlier->complete)
    return 0;
  if (codec_check_header (save->codec, &save->header, err) < 0)
    return error_subject (err, save->output.file.name);
  return output_make_private (&save->output, err) < 0 ? -1
    : file_truncate (&save->output.file, save->image->bytes, err);
}

/* The image says whether its source was being consumed.  Where nothing can be
 * written it cannot be any more, but the image can be finished.
 */
static int
open_source_again (struct save *save, struct error *err)
{
  bool consumes = (save->image->header.compatible & FEATURE_DISCARD) != 0;

  save->source_stays = consumes && !save->consumes &&
    file_descriptor_of (save->options->source_name) < 0 &&
    access (save->options->source_name, W_OK) < 0 && errno == EROFS;
  return reopen_source (save, consumes && !save->source_stays, err);
}

int
save_prepare_again (struct save *save, struct error *err)
{
  int found;

  if (resume_read_marker (&save->source, &save->earlier, err) < 0)
    return -1;
  found = open_earlier (save, err);
  if (found < 0)
    return -1;
  if (found > 0)
    return open_source_again (save, err) < 0 ? -1 : take_up (save, err);
  if (save->output.file.fd >= 0)
    return begin_over_head (save, err);
  if (save_prepare_new (save, err) == 0)
    return 0;
  if (save->earlier.left == SOURCE_PARTLY_GONE)
    error_hint (err, "OUTPUT must name the image that has the rest of it");
  return -1;
}
