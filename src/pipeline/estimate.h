/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Predicting what save will do, from a sample of the windows. */

#ifndef IOPRESS_PIPELINE_ESTIMATE_H
#define IOPRESS_PIPELINE_ESTIMATE_H

#include "pipeline/pack.h"
#include "pipeline/run.h"
#include "pipeline/intake_need.h"

/* A value and the interval around it: for a size that in which it lies 19 times
 * of 20, for a time from the best case to the worst, as unsure as the size.
 */
struct prediction {
  double value, low, high;
};

struct estimate {
  uint64_t windows;            /* that hold data */
  uint64_t sampled;            /* of them */
  uint64_t read_bytes;         /* of the source, to take the sample */
  struct prediction image_bytes;
  struct prediction seconds;   /* of wall time */
};

/* Pack about one window in a hundred, spread over the whole of FILE, and
 * predict size and time for all of it.  PACK and RAM as save uses them; they
 * stay the caller's.  Returns 0, or -1 with ERR.
 */
int estimate_run (struct file *file, const struct intake_need *need,
                  struct pack *pack, const struct run_options *options,
                  struct estimate *estimate, struct error *err);

#endif /* IOPRESS_PIPELINE_ESTIMATE_H */
