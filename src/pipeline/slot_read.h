/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filling slots from a seekable file, several at a time. */

#ifndef IOPRESS_PIPELINE_SLOT_READ_H
#define IOPRESS_PIPELINE_SLOT_READ_H

#include "pipeline/slot.h"

/* Slots that may be under way at a time. */
#define SLOT_READS_MAX 8u

/* A reader belongs to one thread. */
struct slot_reader;

/* What becomes of bytes that the page cache holds, see slot_reader_cached. */
enum slot_read_cache {
  SLOT_READ_UNCACHED,          /* read as all others */
  SLOT_READ_ALL,               /* left to the workers */
  SLOT_READ_DATA,              /* left to the workers; holes are passed over */
};

/* Read from FILE, which must outlive the reader.  Returns 0, or -1 with
 * ERR.
 */
int slot_reader_open (struct file *file, enum slot_read_cache cache,
                      struct slot_reader **reader, struct error *err);

/* Wait for what is under way and free; NULL is ignored. */
void slot_reader_close (struct slot_reader *reader);

/* When the page cache holds the pages of MAP (see page_cache_holds) begin the
 * slot with its CACHE set: slot_reader_finish hands it out at once, and its
 * worker copies the pages from there, as all workers can at the same time.
 * Nothing that is dirty has to be written before, as it would for O_DIRECT.
 * Returns whether it did.
 */
bool slot_reader_cached (struct slot_reader *reader, struct slot *slot,
                         uint64_t offset, uint32_t pages, uint8_t *map);

/* Start reading from OFFSET (page aligned) up to END into BUFFER, which has
 * room to the end of END's page.
 */
void slot_reader_begin (struct slot_reader *reader, struct slot *slot,
                        void *buffer, uint64_t offset, uint64_t end);

/* At which descriptor workers read what slot_reader_cached left to them, -1
 * where it leaves nothing.
 */
int slot_reader_descriptor (const struct slot_reader *reader);

/* Wait for one of the slots started; there is at least one.  Failure is in its
 * error.
 */
struct slot *slot_reader_finish (struct slot_reader *reader);

/* Nothing more will be started: see aio_wind_down. */
void slot_reader_wind_down (struct slot_reader *reader);

#endif /* IOPRESS_PIPELINE_SLOT_READ_H */
