/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The work of save: a window's pages become a record. */

#ifndef IOPRESS_PIPELINE_PACK_H
#define IOPRESS_PIPELINE_PACK_H

#include "guest/mapped_ram.h"
#include "image/encode.h"
#include "pipeline/auto_level.h"

/* What all workers share; read only while they run. */
struct pack {
  struct encoding encoding;
  const struct mapped_ram *ram;        /* what it marks absent goes; or NULL */
  const struct auto_level *automatic;  /* chooses the level, or NULL */
};

/* The job that packs with PACK, which must outlive the pool.  A slot comes
 * with pages at their place in its window and leaves with the window's record,
 * see encode_window.
 */
struct job pack_job (struct pack *pack);

#endif /* IOPRESS_PIPELINE_PACK_H */
