/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of iopress save share. */

#ifndef IOPRESS_CMD_SAVE_H
#define IOPRESS_CMD_SAVE_H

#include "cmd/confine.h"
#include "cmd/output.h"
#include "pipeline/auto_level.h"
#include "safety/consume.h"
#include "safety/resume.h"
#include "image/source_layout.h"
#include "plugin/loader.h"

/* What the command line asks for: constant once it is taken. */
struct save_options {
  struct common_options common;
  uint32_t chunk_bytes;        /* 0: as the codec prefers */
  uint8_t image_id[IMAGE_ID_BYTES];    /* if has_image_id */
  enum source_format format;
  bool exact, force, has_image_id;
  bool discard, resume, no_verify;
  bool replace;
  bool estimate, json;
  int wait_fd;                 /* -1: none */
  const char *wait_qmp;        /* or NULL */
  uint64_t batch_bytes;
  const char *source_name, *output_name;
};

/* How they want the output. */
static inline struct output_how
save_output_how (const struct save_options *options)
{
  return (struct output_how) { OUTPUT_IMAGE, options->force,
                               options->common.how };
}

/* What they take. */
static inline enum privileges
save_privileges (const struct save_options *options)
{
  return options->replace ? PRIVILEGES_REPLACE
    : options->estimate ? PRIVILEGES_READ : PRIVILEGES_WRITE;
}

/* A running save. */
struct save {
  const struct save_options *options;

  struct file source;
  struct file_state before;    /* of the source, when it was opened */
  struct output output;
  bool new_output;             /* this run has made it, or emptied it */
  bool consumes;               /* blocks of the source are to be given back: by
                                * the command line, or by the image resumed */
  struct error left;           /* what --replace could not remove */
  bool source_stays;           /* they were, but its file system cannot */
  struct source_layout layout;
  struct codec *codec;
  struct file_header header;
  struct consume *consume;     /* NULL unless it consumes */
  bool automatic;              /* -c auto */
  struct auto_level level;

  /* What is left of an earlier run, and of the source. */
  struct resume earlier;
  struct image *image;         /* that this goes on with, or NULL */

  /* What came of it. */
  struct progress *progress;   /* or NULL */
  struct footer footer;
  uint64_t image_bytes;
};

/* Before anything of it is open. */
#define SAVE_CLOSED .source = FILE_CLOSED, .output = OUTPUT_CLOSED

/* Save as OPTIONS say.  Returns 0, or -1 with ERR. */
int save_run (const struct save_options *options, struct error *err);

/* Say what a save would give; the output_name may be NULL.  Returns 0, or -1
 * with ERR.
 */
int save_estimate (const struct save_options *options, struct error *err);

/* Wait as the options say, before anything of the source is looked at.  When it
 * is given up, a descriptor's output is left empty.  Returns 0, or -1 with ERR.
 */
int save_wait (const struct save_options *options, struct error *err);

/* Open the source, for update where parts of it will go, and take note of what
 * it is like.  Returns 0, or -1 with ERR.
 */
int save_open_source (struct save *save, struct error *err);

/* Load the codec that the options name, and begin the file header of a new
 * image with what belongs to it.  Returns 0, or -1 with ERR.
 */
int save_choose_codec (struct save *save, struct error *err);

/* The source is open: find out what it is, choose the codec unless that is
 * done, and fill in the file header for a new image with what the options say.
 * Returns 0, or -1 with ERR.
 */
int save_begin_image (struct save *save, struct error *err);

/* Refuse an open output in which an image cannot be kept.  Returns 0, or -1
 * with ERR.
 */
int save_check_output (struct save *save, struct error *err);

/* The source is open: begin a new image in a new output.  Returns 0, or -1 with
 * ERR.
 */
int save_prepare_new (struct save *save, struct error *err);

/* The source is open: go on with the image that an earlier run began, or begin
 * anew where that left nothing of use.  Returns 0, or -1 with ERR.
 */
int save_prepare_again (struct save *save, struct error *err);

/* Pack what the image does not have yet, and complete it.  Returns 0, or -1
 * with ERR.
 */
int save_pack (struct save *save, struct error *err);

/* Close and free all but the output. */
void save_close (struct save *save);

#endif /* IOPRESS_CMD_SAVE_H */
