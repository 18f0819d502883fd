/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image becomes its source again in its own place (expand); the states of
 * FILE are those of expanding.h.
 */

#ifndef IOPRESS_SAFETY_EXPAND_H
#define IOPRESS_SAFETY_EXPAND_H

#include "image/image_input.h"
#include "names/place.h"
#include "pipeline/run.h"

/* What its caller does for it, with OPAQUE. */
struct expand_options {
  struct image_options image;
  void *opaque;

  /* Run all records of INPUT into SINK, and complete that; VERIFIES: just to
   * see that they are whole.  Returns 0, or -1 with ERR.
   */
  int (*run) (void *opaque, const struct image_input *input, bool verifies,
              const struct sink *sink, struct error *err);

  /* FILE is open for update, and its name is PLACE: give up what else there is,
   * but reading.  Returns 0, or -1 with ERR.
   */
  int (*confine) (void *opaque, const struct file *file,
                  const struct place *place, struct error *err);

  /* Hear of WHAT, which does not matter for the result: something that FAILED,
   * or a file beside FILE that stays, or another name of FILE that went.
   */
  void (*tell) (void *opaque, const struct error *what, bool failed);
};

/* Expand the image NAME, or go on where an earlier run has stopped; a whole
 * save is left as it is.  Returns 0; or -1 with ERR: NAME is as it was, or,
 * with ERROR_CONSUMED, half expanded, and the hint is one of a command that
 * NAME is to follow.
 */
int expand_image (const char *name, const struct expand_options *options,
                  struct error *err);

#endif /* IOPRESS_SAFETY_EXPAND_H */
