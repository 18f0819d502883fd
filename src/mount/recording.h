/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a window in memory to a record in the file, and back. */

#ifndef IOPRESS_MOUNT_RECORDING_H
#define IOPRESS_MOUNT_RECORDING_H

#include "image/decode.h"
#include "image/encode.h"
#include "mount/windows.h"

/* For one thread at a time. */
struct recorder {
  struct file_header header;   /* of the file whose window it has */
  struct encoding encoding;
  struct encoder *encoder;
  uint8_t *record;
  size_t record_room;
};

/* One for images with HEADER; CODEC is NULL for one that packs nothing.
 * Returns 0, or -1 with ERR.
 */
int recorder_open (const struct file_header *header,
                   const struct codec *codec, struct recorder **recorder,
                   struct error *err);
void recorder_close (struct recorder *recorder);

/* Make a record of HELD, which is the caller's (HELD_BUSY), append it to the
 * file, and free HELD.  An error becomes its owner's.  Not under the lock.
 */
void record_held (struct windows *windows, struct recorder *recorder,
                  struct held *held);

/* For one thread at a time. */
struct loader {
  struct file_header header;   /* of the file whose record it has */
  struct decoding decoding;
  struct decoder *decoder;
  uint8_t *record;
  size_t record_room;
};

int loader_open (const struct file_header *header, const struct codec *codec,
                 struct loader **loader, struct error *err);
void loader_close (struct loader *loader);

/* Fill HELD, which is the caller's (HELD_BUSY), from its record, of ENTRY.  Not
 * under the lock.  Returns 0, or an errno.
 */
int load_held (struct loader *loader, struct held *held,
               const struct index_entry *entry);

#endif /* IOPRESS_MOUNT_RECORDING_H */
