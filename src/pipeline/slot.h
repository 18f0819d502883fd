/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One window on its way from the reader through a worker to the writer. */

#ifndef IOPRESS_PIPELINE_SLOT_H
#define IOPRESS_PIPELINE_SLOT_H

#include <sys/queue.h>

#include "format/index.h"
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

  uint64_t window;
  /* Which pages of the window are present; bit N: page N. */
  uint8_t map[CHUNK_BYTES_MAX / PAGE_BYTES / 8];
  /* Where the worker finds what is not read yet: packing, the pages of MAP;
   * unpacking, the record.  NULL: RAW, or RECORD, is filled.
   */
  const struct page_cache *cache;
  /* Packing, pages stand at their place in RAW until the worker has brought
   * those that are present together at its start; unpacking they come so.
   */
  uint32_t page_count;

  uint8_t *record;             /* the record within PACKED */
  size_t record_bytes;         /* 0: no page is present, no record */
  struct record_header header;
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

/* Make COUNT slots with room for RAW_BYTES and PACKED_BYTES each; free them with
 * slots_free, also after an error.  Returns 0, or -1 with ERR.
 */
int slots_create (unsigned int count, size_t raw_bytes, size_t packed_bytes,
                  struct slots *slots, struct error *err);
void slots_free (struct slots *slots);

#endif /* IOPRESS_PIPELINE_SLOT_H */
