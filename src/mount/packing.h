/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that were written, packed in the background.
 *
 * What was stored because the workers were behind is packed, and records that
 * are not needed any more go: the image becomes an ordinary one, in a file
 * without a name, which takes the place of the old one when it is whole,
 * durable and verified.  So there is room for both on the disk, or nothing is
 * done.  It is given up as soon as anybody wants anything else of the file.
 */

#ifndef IOPRESS_MOUNT_PACKING_H
#define IOPRESS_MOUNT_PACKING_H

#include "mount/store.h"

/* How to pack. */
struct packing_options {
  uint64_t memory_bytes;       /* the most for windows and records */
  unsigned int threads;
  bool stored;                 /* what was stored, too, not only what has many
                                * records that are not needed any more */
};

/* What has been done, and is to be. */
struct packing_state {
  bool looked;                 /* at all that earlier mounts left */
  uint64_t waiting;            /* files */
  char name[256];              /* of the one that is being packed, or "" */
  uint64_t done_bytes, bytes;  /* of that one's source */
  uint64_t files_packed, files_left, files_given_up;
  uint64_t bytes_before, bytes_after;  /* of all that were packed */
};

/* See to what earlier mounts left in STORE, and pack, in a thread of its own.
 * Returns 0, or -1 with ERR.
 */
int packing_start (struct store *store, const struct packing_options *options,
                   struct packing **packing, struct error *err);

/* Give up what is being done, and free; NULL is ignored. */
void packing_stop (struct packing *packing);

/* NODE is to be packed, if there is something to gain.  Any thread that counts
 * a lookup of it.
 */
void packing_add (struct packing *packing, struct node *node);

/* Call EACH with the name of each file that waits, which must not call packing.
 * Any thread.
 */
void packing_list (struct packing *packing,
                   void (*each) (void *opaque, const char *name),
                   void *opaque);

/* Any thread. */
void packing_describe (struct packing *packing, struct packing_state *state);

#endif /* IOPRESS_MOUNT_PACKING_H */
