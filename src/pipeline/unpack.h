/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The work of restore and verify: a record becomes pages again. */

#ifndef IOPRESS_PIPELINE_UNPACK_H
#define IOPRESS_PIPELINE_UNPACK_H

#include "pipeline/pool.h"
#include "plugin/loader.h"

/* What all workers share; read only while they run. */
struct unpack {
  const struct file_header *header;
  const struct codec *codec;   /* NULL: only stored records can be read */
  const uint8_t *prefix;       /* header->prefix_bytes bytes */
  const char *name;            /* of the image, for messages */
  bool fast;                   /* check stored checksums, decompress nothing */
  bool salvage;                /* a slot that cannot be used becomes LOST and
                                * empty; it is no error */
};

/* The job that checks and unpacks with UNPACK, which must outlive the pool.
 * A slot comes with RECORD (and ENTRY) unchecked; it leaves with HEADER, MAP
 * and its present pages together in RAW, every checksum right.  The page that
 * the prefix shares has the prefix's bytes.  An error is ERROR_BAD_INPUT and
 * names the window.
 */
struct job unpack_job (struct unpack *unpack);

/* The same for one slot, without a pool: make and free what it needs, and do
 * the work.
 */
int unpack_open (const struct unpack *unpack, void **worker,
                 struct error *err);
void unpack_close (void *worker);
void unpack_slot (void *worker, struct slot *slot);

/* Make a slot lost and empty. */
void unpack_lose (struct slot *slot);

#endif /* IOPRESS_PIPELINE_UNPACK_H */
