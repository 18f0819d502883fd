/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image becomes another image of the same source: with another codec or
 * level, and its records in the usual order.
 */

#ifndef IOPRESS_PIPELINE_REPACK_H
#define IOPRESS_PIPELINE_REPACK_H

#include "image/decode.h"
#include "image/encode.h"
#include "image/image.h"
#include "pipeline/run.h"

/* What it takes; all of it stays the caller's. */
struct repack {
  struct image *image;         /* in a file with offsets, its index loaded */
  const struct codec *codec;   /* that it was packed with, or NULL */
  struct file_header header;   /* of the new one, see repack_prepare */
  const struct codec *new_codec;       /* that HEADER names, or NULL */
  /* Only what was stored is packed; frames, which are of NEW_CODEC then, go as
   * they are.
   */
  bool keep_frames;
  struct file *output;         /* empty; a regular file or a pipe */
};

/* Fill HEADER with what both images have in common.  Its image_id, codec, level
 * and parameters are the caller's to say.
 */
void repack_prepare (struct repack *repack);

/* Write the new image, which is complete then, but not durable.  Each record of
 * the old one has been checked, each frame of the new one gives back its pages,
 * and these have the checksum that they had.  The prefix is copied as it stands
 * in the old file.  Returns 0 with FOOTER and IMAGE_BYTES, those of the new
 * one; or -1 with ERR.
 */
int repack_run (const struct repack *repack, const struct run_options *options,
                struct footer *footer, uint64_t *image_bytes,
                struct error *err);

/* Read the regular output again: it is a whole image, and of the same source.
 * Returns 0, or -1 with ERR.
 */
int repack_verify (const struct repack *repack,
                   const struct run_options *options, struct error *err);

/* Read all records of IMAGE, which was packed with CODEC or NULL, from the
 * disk, and check them.  Returns 0, or -1 with ERR.
 */
int verify_records (struct image *image, const struct codec *codec,
                    const struct run_options *options, struct error *err);

#endif /* IOPRESS_PIPELINE_REPACK_H */
