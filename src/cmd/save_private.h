/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of opening source and output have in common. */

#ifndef IOPRESS_CMD_SAVE_PRIVATE_H
#define IOPRESS_CMD_SAVE_PRIVATE_H

#include "cmd/save.h"

/* Open the source, for update where parts of it will go, and take note of what
 * it is like.  Returns 0, or -1 with ERR.
 */
int save_open_source (struct save *save, struct error *err);

/* Refuse an open output in which an image cannot be kept.  Returns 0, or -1
 * with ERR.
 */
int save_check_output (struct save *save, struct error *err);

/* The source is open: find out what it is, and load the codec and fill in the file
 * header for a new image with what the command line says.  Returns 0, or -1 with
 * ERR.
 */
int save_begin_image (struct save *save, struct error *err);

/* The source is open: begin a new image in a new output.  Returns 0, or -1 with
 * ERR.
 */
int save_prepare_new (struct save *save, struct error *err);

/* The source is open: go on with the image that an earlier run began, or begin
 * anew where that left nothing of use.  Returns 0, or -1 with ERR.
 */
int save_prepare_again (struct save *save, struct error *err);

/* Wait as the command line says, before anything of the source is looked at.
 * When it is given up, a descriptor's output is left empty.  Returns 0, or -1
 * with ERR.
 */
int save_wait (const struct save *save, struct error *err);

#endif /* IOPRESS_CMD_SAVE_PRIVATE_H */
