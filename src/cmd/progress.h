/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Progress: a bar for people, JSON lines for programs. */

#ifndef IOPRESS_CMD_PROGRESS_H
#define IOPRESS_CMD_PROGRESS_H

#include "cmd/options.h"
#include "format/file_header.h"

struct progress;

/* Begin reporting on VERB, which has all windows of the source ahead that HEADER
 * is of; RUN will report to it.  Returns NULL when nobody wants to know.
 */
struct progress *progress_begin (const struct common_options *options,
                                 const char *verb,
                                 const struct file_header *header,
                                 struct run_options *run);

/* The last report, on how it ended; frees *PROGRESS and sets it to NULL, which
 * it may be already.  To be called before anything else is said: the bar has
 * not ended its line.
 */
void progress_end (struct progress **progress, bool succeeded);

#endif /* IOPRESS_CMD_PROGRESS_H */
