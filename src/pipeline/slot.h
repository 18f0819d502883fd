/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One window on its way from the reader through a worker to the writer. */

#ifndef IOPRESS_PIPELINE_SLOT_H
#define IOPRESS_PIPELINE_SLOT_H

#include <sys/queue.h>

#include "format/index.h"
#include "image/window.h"
#include "io/aio.h"
#include "io/page_cache.h"
#include "io/writer.h"

/* A slot is touched by one thread at a time: the reader from pool_take to
 * pool_submit, then one worker, then the writer from pool_dequeue to
 * pool_release, or to pool_deliver, then another worker.  Its buffers are
 * allocated once.
 */
struct slot {
  uint8_t *raw;                /* chunk_bytes, page aligned */
  uint8_t *packed;             /* a record and room to align it */
  size_t packed_room;          /* bytes of PACKED */

  struct window window;        /* in RAW and PACKED */
  /* Where the worker finds what is not read yet: packing, the window's pages;
   * unpacking, its record.  NULL: RAW, or PACKED, is filled.
   */
  const struct page_cache *cache;
  struct index_entry entry;    /* unpacking: what the index says of it */
  bool has_entry;
  bool lost;                   /* salvaging: the record could not be used */

  struct aio_request request;  /* the reader's */
  struct error error;          /* the worker's */
  struct writer_place place;   /* where a worker is to bring the record */

  /* The pool's. */
  uint64_t ticket;
  unsigned int number;         /* 0 .. slot count - 1 */
  int state;
  STAILQ_ENTRY (slot) next;
};

/* All slots of a pool, and the memory of their buffers. */
struct slots {
  struct slot *list;
  unsigned int count;
  uint8_t *memory;
  size_t memory_bytes;
};

/* Make COUNT slots with room for RAW_BYTES and PACKED_BYTES each; free them
 * with slots_free, also after an error.  Returns 0, or -1 with ERR.
 */
int slots_create (unsigned int count, size_t raw_bytes, size_t packed_bytes,
                  struct slots *slots, struct error *err);
void slots_free (struct slots *slots);

#endif /* IOPRESS_PIPELINE_SLOT_H */
