/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress save --resume: taking up what an earlier run has left. */

#include <config.h>

#include "cmd/codec.h"
#include "cmd/save.h"
#include "cmd/save_private.h"

/* The output is no image: the earlier run died before its header was durable,
 * so that the source must be whole.  An empty source says otherwise: then the
 * image was damaged later, and may be all there is.
 */
static bool
may_start_over (const struct save *save)
{
  const struct output *output = &save->output;
  struct error unreadable = { 0 };

  return !save->begun.consumed &&
    (output->path == NULL || output->part[0] != '\0') &&
    resume_source_is_empty (&save->source, &unreadable) == 0;
}

/* Open the image that an earlier run began.  Returns 1; 0 when there is
 * nothing to go on with, so that the source has to be whole; -1 with ERR.
 */
static int
open_begun (struct save *save, struct error *err)
{
  struct output *output = &save->output;
  struct error invalid = { 0 };
  int found = output_open_begun (save->output_name, save->force,
                                 save->common.direct, &save->source, output,
                                 err);

  if (found <= 0)
    return found;
  if (save_check_output (save, err) < 0)
    return -1;
  /* What is on the disk counts, not what the page cache believes. */
  if (!output->file.direct)
    file_drop_cache (&output->file, 0, 0);
  if (image_open (&output->file, &save->image, &invalid) == 0)
    return 1;
  *err = invalid;
  if (invalid.kind != ERROR_BAD_INPUT || !may_start_over (save))
    return -1;
  *err = (struct error) { 0 };
  return 0;
}

/* Whether the image belongs to the source, and parse the source as it was. */
static int
match_source (struct save *save, struct error *err)
{
  struct decoding decoding = {
    .header = &save->header,
    .codec = save->codec,
    .name = save->output.file.name,
  };
  struct image_view *view = NULL;
  struct resume_view storage;
  struct read_at whole;
  int result = -1;

  if (image_view_open (save->image, &decoding, NULL, &view, err) < 0)
    return -1;
  if (resume_check_source (&save->begun, &save->source, view, err) == 0) {
    save->source_whole = save->begun.source_whole;
    whole = resume_read_at (&save->begun, &save->source, view, &storage);
    result = save->begun.complete ? 0
      : source_layout_parse (&whole, save->header.kind,
                             save->header.prefix_bytes, &save->layout, err);
  }
  image_view_close (view);
  return result;
}

/* The source is whole and what there is of the image is not worth keeping. */
static int
start_over (struct save *save, struct error *err)
{
  image_close (save->image);
  save->image = NULL;
  save->begun = (struct resume) { .image = NULL };
  codec_unload (save->codec);
  save->codec = NULL;
  source_layout_free (&save->layout);
  save->header = (struct file_header) { .chunk_bytes = 0 };
  save->has_image_id = false;
  return save_prepare_new (save, err);
}

/* A finished image is not for this run to overwrite; nor is the edit to go. */
static int
refuse_edited (const struct save *save, struct error *err)
{
  error_set (err, ERROR_BAD_INPUT, 0, "its head and that of %s differ: one of "
             "them was edited", save->source_name);
  error_subject (err, save->output.file.name);
  return error_hint (err, "look at both, then pack it to another name");
}

/* The image has its final name, which it got when all of it was durable.  A
 * descriptor's file has none.
 */
static bool
is_finished (const struct save *save)
{
  return save->begun.complete && save->output.path != NULL &&
    save->output.part[0] == '\0';
}

/* Take up what an earlier run began: its header says how to go on. */
static int
take_up (struct save *save, struct error *err)
{
  struct resume *begun = &save->begun;
  uint64_t end;

  if (resume_walk (save->image, begun, err) < 0)
    return -1;
  save->header = save->image->header;
  if (codec_for_image (save->common.plugin_folder, &save->header,
                       &save->codec, err) < 0)
    return error_subject (err, save->output.file.name);
  if (match_source (save, err) < 0)
    return -1;
  if (begun->prefix_differs && !is_finished (save))
    return start_over (save, err);
  if (begun->prefix_differs && save->discard)
    return refuse_edited (save, err);
  end = save->image->bytes;
  if (begun->complete)
    return 0;
  return file_truncate (&save->output.file, end, err);
}

/* The image says whether its source was being consumed. */
static int
open_source_again (struct save *save, struct error *err)
{
  bool discard = (save->image->header.compatible & FEATURE_DISCARD) != 0;

  if (discard == save->discard)
    return 0;
  if (file_close (&save->source, err) < 0)
    return -1;
  save->discard = discard;
  return save_open_source (save, err);
}

int
save_prepare_again (struct save *save, struct error *err)
{
  int found;

  if (resume_read_marker (&save->source, &save->begun, err) < 0)
    return -1;
  found = open_begun (save, err);
  if (found < 0)
    return -1;
  if (found == 0) {
    if (save_prepare_new (save, err) == 0)
      return 0;
    if (save->begun.consumed)
      error_hint (err, "OUTPUT must name the image that has the rest of it");
    return -1;
  }
  if (open_source_again (save, err) < 0)
    return -1;
  return take_up (save, err);
}
