/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of iopress save share. */

#ifndef IOPRESS_CMD_SAVE_H
#define IOPRESS_CMD_SAVE_H

#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/replace.h"
#include "pipeline/auto_level.h"
#include "safety/consume.h"
#include "safety/resume.h"
#include "image/source_layout.h"
#include "plugin/loader.h"

struct save {
  /* What the command line asks for. */
  struct common_options common;
  const char *codec_text;
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

  /* What the run needs. */
  struct file source;
  struct file_state before;    /* of the source, when it was opened */
  struct output output;
  bool new_output;             /* this run has made it, or emptied it */
  bool consumes;               /* blocks of the source are to be given back: by
                                * the command line, or by the image resumed */
  bool source_stays;           /* they were, but its file system cannot */
  struct source_layout layout;
  struct codec *codec;
  struct file_header header;
  struct consume *consume;     /* NULL unless it consumes */
  bool automatic;              /* -c auto */
  struct auto_level level;

  /* What is left of an earlier run, and of the source. */
  struct resume earlier;
  struct image *image;         /* that it began and this goes on with, or NULL */

  /* What came of it. */
  struct progress *progress;   /* or NULL */
  struct footer footer;
  uint64_t image_bytes;
};

/* Open the source and the output: anew, or as an earlier run left them.
 * Returns 0, or -1 with ERR.
 */
int save_prepare (struct save *save, struct error *err);

/* Pack the source.  Returns 0, or -1 with ERR. */
int save_run (struct save *save, struct error *err);

/* Open the source alone, to look at it.  Returns 0, or -1 with ERR. */
int save_prepare_estimate (struct save *save, struct error *err);

/* Say what a save would give; output_name may be NULL.  Returns 0, or -1 with
 * ERR.
 */
int save_estimate (struct save *save, struct error *err);

#endif /* IOPRESS_CMD_SAVE_H */
