/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress recover: what a damaged image still holds. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/confine.h"
#include "cmd/output.h"
#include "cmd/progress.h"
#include "cmd/recover_report.h"
#include "cmd/say.h"
#include "cmd/verbs.h"
#include "image/image_input.h"
#include "pipeline/page_sink.h"
#include "pipeline/record_intake.h"
#include "pipeline/unpack.h"
#include "util/size.h"

#define SYNOPSIS "iopress recover [OPTION]... IMAGE OUTPUT"

static const char help[] =
  "Usage: " SYNOPSIS "\n"
  "Write every page that the damaged, truncated or unfinished IMAGE still\n"
  "holds to OUTPUT, with zeros for the rest, and say what is missing.  The\n"
  "exit status is 0 when all came back and 3 when something is missing.\n"
  "\n"
  "  -c, --codec=CODEC       the codec of the records, when the file header is\n"
  "                          gone and they do not show it\n"
  "      --force             replace OUTPUT if it exists\n"
  "      --json              report as one JSON object\n";

struct recover {
  struct common_options common;
  bool force, json;

  struct file file;
  struct salvage salvage;
  struct codec *codec;
  struct decoding decoding;
  struct output output;
  uint64_t *lost;              /* windows whose records were of no use */
  uint64_t lost_count;
};

static const struct option long_options[] = {
  COMMON_LONG_OPTIONS,
  CODEC_LONG_OPTION,
  { "force", no_argument, NULL, OPTION_FLAG (struct recover, force) },
  { "json", no_argument, NULL, OPTION_FLAG (struct recover, json) },
  { NULL, 0, NULL, 0 },
};

static int
open_image (struct recover *recover, const char *name, struct error *err)
{
  if (file_open_seekable (name, "IMAGE must be here", FILE_READ,
                          recover->common.how, &recover->file, err) < 0)
    return -1;
  return salvage_search (&recover->file, &recover->salvage, err);
}

/* The codec that -c names, or that knows the frames, where no header does. */
static int
name_codec (struct recover *recover, char name[CODEC_NAME_BYTES],
            struct error *err)
{
  const struct salvage *salvage = &recover->salvage;

  if (recover->common.codec_text != NULL) {
    if (strlen (recover->common.codec_text) >= CODEC_NAME_BYTES)
      return error_set (err, ERROR_USAGE, 0, "-c takes the name of a codec");
    strcpy (name, recover->common.codec_text);
  }
  else if (salvage->frame_bytes == 0)
    strcpy (name, CODEC_STORED);
  else if (codec_find_by_frame (recover->common.plugin_folder, salvage->frame,
                                salvage->frame_bytes, name, err) < 0)
    return -1;
  if (name[0] != '\0')
    return 0;
  error_about (err, ERROR_BAD_INPUT, 0, recover->file.name,
               "neither header nor records name the codec");
  return error_hint (err, "name it with -c");
}

static int
find_codec (struct recover *recover, struct error *err)
{
  struct file_header *header = &recover->salvage.image.header;

  if (!recover->salvage.header_found &&
      name_codec (recover, header->codec, err) < 0)
    return -1;
  if (codec_for_image (recover->common.plugin_folder, header,
                       &recover->codec, err) < 0)
    return -1;
  recover->decoding = (struct decoding) {
    .header = header,
    .codec = recover->codec,
    .prefix = recover->salvage.image.prefix,
    .name = recover->file.name,
  };
  return 0;
}

/* A record that could not be used; OPAQUE is the struct recover. */
static void
note_lost (void *opaque, uint64_t window)
{
  struct recover *recover = opaque;

  recover->lost[recover->lost_count++] = window;
}

static int
unpack (struct recover *recover, const struct sink *sink, struct error *err)
{
  struct image *image = &recover->salvage.image;
  struct run_options options = run_options_of (&recover->common);
  struct job job = salvage_job (&recover->decoding);
  struct progress *progress = progress_begin (&recover->common, "recover",
                                              &image->header, &options);
  int result;

  options.lost = note_lost;
  options.lost_opaque = recover;
  result = record_intake_run (image, false, &job, sink, &options, err);
  progress_end (&progress, result == 0);
  return result;
}

static int
write_pages (struct recover *recover, struct error *err)
{
  struct image *image = &recover->salvage.image;
  struct sink sink = SINK_CLOSED;
  int result;

  recover->lost = calloc (image->footer.record_count + 1,
                          sizeof *recover->lost);
  if (recover->lost == NULL)
    return error_set (err, ERROR_FAILED, ENOMEM, "cannot list the records");
  result = page_sink_open (&recover->output.file, image, &sink, err);
  if (result == 0)
    result = unpack (recover, &sink, err);
  sink_close (&sink);
  return result < 0 ? -1 : output_commit (&recover->output, err);
}

/* All windows came back, but of an image that was written out of order. */
static int
explain_uncertain (const struct recover *recover, struct error *err)
{
  const struct salvage *salvage = &recover->salvage;

  if (!salvage->versions_uncertain && !salvage->size_uncertain)
    return 0;
  error_about (err, ERROR_BAD_INPUT, 0, recover->file.name,
               salvage->versions_uncertain
               ? "what was recovered may be older than what was written last"
               : "what was recovered may have the wrong size");
  return error_hint (err, "the image was written through iopress mount, and "
                     "never finished or lost its header, index or footer");
}

static int
explain_missing (struct recover *recover, const char *output,
                 struct error *err)
{
  const struct salvage *salvage = &recover->salvage;
  uint64_t bytes = recover_missing_bytes (salvage);
  char text[SIZE_TEXT_BYTES];

  if (bytes == 0)
    return explain_uncertain (recover, err);
  error_about (err, ERROR_BAD_INPUT, 0, recover->file.name,
               "up to %s are missing", size_format (bytes, text));
  return error_hint (err, salvage->versions_uncertain
                     ? "%s has zeros in their place, and the rest may be older "
                     "than what was written last"
                     : "%s has zeros in their place", output);
}

static int
run (void *state, char **operands, struct error *err)
{
  struct recover *recover = state;
  struct output_how how = {
    OUTPUT_SOURCE, recover->force, recover->common.how
  };
  bool to_stream = strcmp (operands[1], "-") == 0;
  struct error missing = { 0 };

  if (to_stream && recover->json)
    return error_set (err, ERROR_USAGE, 0,
                      "--json and OUTPUT cannot both be standard output");
  if (confine_privileges (&recover->common, PRIVILEGES_WRITE, err) < 0 ||
      open_image (recover, operands[0], err) < 0 ||
      find_codec (recover, err) < 0 ||
      output_open (operands[1], how, &recover->file, &recover->output,
                   err) < 0 ||
      confine_to (&recover->common, PRIVILEGES_WRITE, &recover->file,
                  LANDLOCK_READ, &recover->output, err) < 0 ||
      write_pages (recover, err) < 0 ||
      salvage_settle (&recover->salvage, &recover->decoding, recover->lost,
                      recover->lost_count, err) < 0)
    return -1;
  if (!recover->common.quiet || recover->json)
    recover_report (&recover->salvage, recover->json,
                    to_stream ? stderr : stdout);
  if (explain_missing (recover, operands[1], &missing) == 0)
    return 0;
  if (say_end_report (err) == 0)
    *err = missing;
  return -1;
}

static void
end (void *state, bool succeeded)
{
  struct recover *recover = state;

  (void) succeeded;
  output_abandon (&recover->output);
  codec_unload (recover->codec);
  salvage_free (&recover->salvage);
  free (recover->lost);
  file_close (&recover->file);
}

const struct verb recover_verb = {
  .name = "recover",
  .summary = "salvage what a damaged image still holds",
  .synopsis = SYNOPSIS,
  .help = help,
  .letters = COMMON_LETTERS "c:",
  .options = long_options,
  .operand_count = 2,
  VERB_STATE (struct recover, .file = FILE_CLOSED, .output = OUTPUT_CLOSED),
  .run = run,
  .end = end,
};
