/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The work of save: a window's pages become a record. */

#ifndef IOPRESS_PIPELINE_PACK_H
#define IOPRESS_PIPELINE_PACK_H

#include "pipeline/auto_level.h"
#include "plugin/loader.h"

/* What all workers share; read only while they run. */
struct pack {
  const struct file_header *header;
  const struct codec *codec;   /* NULL: everything is stored */
  bool verify;                 /* decode each frame again and compare */
  struct auto_level *automatic;        /* chooses the level, or NULL */
};

/* The job that packs with PACK, which must outlive the pool.  A slot comes
 * with pages at their place in RAW and leaves with RECORD and HEADER, or with
 * record_bytes 0 when none of its pages holds anything.  Pages of zeros, and
 * bytes that belong to the prefix, are left out.
 */
struct job pack_job (struct pack *pack);

#endif /* IOPRESS_PIPELINE_PACK_H */
