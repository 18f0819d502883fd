/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress save: beginning a new image. */

#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/codec.h"
#include "cmd/image_run.h"
#include "cmd/save.h"
#include "names/probe.h"
#include "safety/replace.h"

static int
refuse_stream (const char *name, struct error *err)
{
  return error_about (err, ERROR_USAGE, 0, name,
                      "cannot be made durable, as --discard needs");
}

/* With --discard the image must be able to become durable, elsewhere. */
int
save_check_output (struct save *save, struct error *err)
{
  if (save->consumes && save->output.file.stream)
    return refuse_stream (save->output.file.name, err);
  if (!save->output.file.stream && !save->output.file.regular)
    return error_about (err, ERROR_USAGE, 0, save->output.file.name,
                        "is a device, which has no end where the footer could "
                        "stand");
  if (save->output.file.regular &&
      file_same (&save->source, &save->output.file))
    return error_about (err, ERROR_USAGE, 0, save->output.file.name,
                        "is SOURCE itself");
  return 0;
}

/* Find out what the source is, and fill in the file header. */
static int
examine_source (struct save *save, struct error *err)
{
  struct file_header *header = &save->header;

  if (source_layout_detect (&save->source, save->options->format, &save->layout,
                            err) < 0)
    return -1;
  memcpy (header->image_id, save->options->image_id, IMAGE_ID_BYTES);
  if (!save->options->has_image_id &&
      getrandom (header->image_id, IMAGE_ID_BYTES, 0) != IMAGE_ID_BYTES)
    return error_set (err, ERROR_FAILED, errno, "no random image id");
  header->major = FORMAT_MAJOR;
  header->minor = FORMAT_MINOR;
  header->prefix_bytes = save->layout.prefix_bytes;
  header->source_bytes = save->source.size;
  header->kind = save->layout.kind;
  header->compatible = (save->options->exact ? FEATURE_EXACT : 0) |
    (save->consumes ? FEATURE_DISCARD : 0);
  return 0;
}

/* A level follows the run where there are workers that can be idle or not. */
int
save_choose_codec (struct save *save, struct error *err)
{
  const struct save_options *options = save->options;

  save->header = (struct file_header) { .chunk_bytes = options->chunk_bytes };
  if (codec_for_choice (&options->common, &save->header, &save->codec,
                        &save->automatic, err) < 0)
    return -1;
  save->automatic = save->automatic && options->common.threads > 0;
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
  const char *name = save->options->output_name;
  bool stream = strcmp (name, "-") == 0;
  int fd = stream ? STDOUT_FILENO : file_descriptor_of (name);
  char part[PLACE_PATH_BYTES];
  struct stat st;

  if (fd >= 0)
    return fstat (fd, &st) == 0 && is_filled (&st) &&
      (!stream || lseek (fd, 0, SEEK_CUR) < st.st_size);
  snprintf (part, sizeof part, "%s" DRAFT_SUFFIX, name);
  if (!save->options->replace && stat (name, &st) == 0 && is_filled (&st))
    return true;
  return stat (part, &st) == 0 && is_filled (&st);
}

/* What --discard has finished with has its old size and holds nothing: whatever
 * stands where its image is to go may be all there is, and an image of nothing
 * under its own name would look like the one that has it all.
 */
static int
check_not_consumed (const struct save *save, struct error *err)
{
  const struct file *source = &save->source;
  bool matters = source->size > 0 &&
    (save->consumes || save->options->resume || save->options->replace);
  struct read_at at = read_at_of_file (source);
  int empty;

  if (!matters && !is_taken (save))
    return 0;
  empty = read_at_is_zero (&at, 0, err);
  if (empty <= 0)
    return empty;
  error_about (err, ERROR_BAD_INPUT, 0, save->options->source_name,
               "holds nothing: an earlier run may have given all of it back");
  return error_hint (err, "look for its image, which may be %s",
                     save->options->output_name);
}

/* Beside the source, where names can be exchanged. */
static int
open_beside (struct save *save, struct error *err)
{
  struct replace replace = {
    .source = &save->source,
    .options = image_options_of (&save->options->common),
  };
  struct place_owners owners = { .like = &save->source };
  struct draft_leftover leftover = {
    .judge = replace_judge,
    .opaque = &replace,
    .owners = &owners,
  };
  struct output *output = &save->output;

  if (output_open_beside (save->options->source_name, replace.options.how,
                          &save->source, &leftover, output, err) < 0)
    return -1;
  if (probe_exchange (&output->draft.part, &output->file, err) == 0)
    return 0;
  /* It was created here, and is empty. */
  output_abandon (output);
  return -1;
}

/* Whether NAME is a path of what will be a stream when it is open. */
static bool
is_named_stream (const char *name)
{
  struct stat st;

  return strcmp (name, "-") != 0 && file_descriptor_of (name) < 0 &&
    stat (name, &st) == 0 && !S_ISREG (st.st_mode) && !S_ISBLK (st.st_mode) &&
    !S_ISDIR (st.st_mode);
}

static int
open_output (struct save *save, struct error *err)
{
  const struct save_options *options = save->options;

  /* A pipe with a name would be waited for, only to be refused. */
  if (save->consumes && is_named_stream (options->output_name))
    return refuse_stream (options->output_name, err);
  return options->replace ? open_beside (save, err)
    : output_open (options->output_name, save_output_how (options),
                   &save->source, &save->output, err);
}

int
save_begin_image (struct save *save, struct error *err)
{
  if (save->codec == NULL && save_choose_codec (save, err) < 0)
    return -1;
  return examine_source (save, err);
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
