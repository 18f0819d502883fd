/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the record of each window is, of an image that is being written. */

#ifndef IOPRESS_MOUNT_RECORD_TABLE_H
#define IOPRESS_MOUNT_RECORD_TABLE_H

#include "format/index.h"

struct stretch;

/* Initialise with zeros.  Takes 24 bytes a window where most have a record, and
 * less than 1 KiB for each that has where few do.  One thread at a time.
 */
struct record_table {
  struct stretch **stretches;  /* ascending */
  size_t stretch_count, room;
  uint64_t count;              /* records */
};

/* Whether WINDOW has a record; *ENTRY is it then. */
bool record_table_find (const struct record_table *table, uint64_t window,
                        struct index_entry *entry);

/* The first entry whose window is WINDOW or higher; false when there is none.
 */
bool record_table_next (const struct record_table *table, uint64_t window,
                        struct index_entry *entry);

/* Make room for an entry of WINDOW, so that record_table_set cannot fail.
 * Returns 0, or ENOMEM.
 */
int record_table_prepare (struct record_table *table, uint64_t window);

/* ENTRY, whose window was prepared, in place of what its window has. */
void record_table_set (struct record_table *table,
                       const struct index_entry *entry);

/* WINDOW has no record. */
void record_table_remove (struct record_table *table, uint64_t window);

/* Forget all. */
void record_table_clear (struct record_table *table);

#endif /* IOPRESS_MOUNT_RECORD_TABLE_H */
