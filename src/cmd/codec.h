/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From what -c or an image says to a loaded codec. */

#ifndef IOPRESS_CMD_CODEC_H
#define IOPRESS_CMD_CODEC_H

#include "cmd/options.h"
#include "format/file_header.h"
#include "plugin/loader.h"

/* Load the codec that COMMON's -c names, check level and parameters and put all
 * three into HEADER; chunk_bytes too where the codec
 * prefers one and HEADER has 0.  *CODEC is NULL for "stored"; free it with
 * codec_unload.  *AUTOMATIC becomes whether the level is to follow the run,
 * from the default on, which is refused when AUTOMATIC is NULL.  Returns 0,
 * or -1 with ERR.
 */
int codec_for_choice (const struct common_options *common,
                      struct file_header *header, struct codec **codec,
                      bool *automatic, struct error *err);

/* Whether CODEC, NULL for "stored", can compress as HEADER says, which comes
 * from a file that nobody vouches for.  Returns 0, or -1 with ERR
 * (ERROR_BAD_INPUT).
 */
int codec_check_header (const struct codec *codec,
                        const struct file_header *header, struct error *err);

#endif /* IOPRESS_CMD_CODEC_H */
