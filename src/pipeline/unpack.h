/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The work of restore and verify: a record becomes pages again. */

#ifndef IOPRESS_PIPELINE_UNPACK_H
#define IOPRESS_PIPELINE_UNPACK_H

#include "image/decode.h"
#include "pipeline/pool.h"

/* The job that checks and unpacks as DECODING, which must outlive the pool,
 * says.  A slot comes with the window's record (and ENTRY) unchecked; it leaves
 * with its present pages together, see decode_window.
 */
struct job unpack_job (const struct decoding *decoding);

/* The same for what is left of an image: a slot that cannot be used becomes
 * lost and empty, that is no error.
 */
struct job salvage_job (const struct decoding *decoding);

/* What the job does with SLOT, for a job that does more with it. */
void unpack_slot (struct decoder *decoder, struct slot *slot);

#endif /* IOPRESS_PIPELINE_UNPACK_H */
