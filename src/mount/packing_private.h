/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What packing.c and those that work for it share. */

#ifndef IOPRESS_MOUNT_PACKING_PRIVATE_H
#define IOPRESS_MOUNT_PACKING_PRIVATE_H

#include <stdatomic.h>

#include "mount/packing.h"
#include "pipeline/run.h"

/* A file that waits. */
struct packable {
  struct node *node;           /* one lookup of it is ours */
  uint64_t due_ns;             /* CLOCK_MONOTONIC; not before */
  bool said;                   /* why it waits */
  TAILQ_ENTRY (packable) link;
};

struct packing {
  struct store *store;
  struct packing_options options;
  atomic_bool stopping;
  pthread_t thread;
  atomic_uint_least64_t done_bytes;    /* of the file that is being packed */

  pthread_mutex_t lock;        /* all below */
  pthread_cond_t changed;
  TAILQ_HEAD (packables, packable) list;
  struct packing_state state;
};

/* What has become of a file. */
enum packing_outcome {
  PACKING_DONE,
  PACKING_LATER,               /* somebody uses it */
  PACKING_USELESS,             /* there is nothing to gain, or it is gone */
  PACKING_LEFT,                /* as it is: it cannot be done */
};

/* Pack NODE's file. */
enum packing_outcome pack_file (struct packing *packing, struct node *node);

/* Look at what earlier mounts left: packing_add what can be packed, remove what
 * was given up in an instant in which it had a name, and say what is
 * unfinished.
 */
void look_at_leftovers (struct packing *packing);

/* NODE's file, called NAME, has no end: where it had one, and behind that is
 * what was written to it when an earlier mount ended, make it what it was.
 * Returns whether it is whole now.
 */
bool roll_back_leftover (struct packing *packing, struct node *node,
                         const char *name);

/* What a pipeline of the packing may take; CANCELLED is for its own thread. */
struct run_options packing_run_options (const struct packing *packing,
                                        uint32_t chunk_bytes);

/* The id of the image that is made of that with the id OLD: who finds both
 * knows that one has the pages of the other.
 */
void packed_image_id (const uint8_t old[IMAGE_ID_BYTES],
                      uint8_t id[IMAGE_ID_BYTES]);

#endif /* IOPRESS_MOUNT_PACKING_PRIVATE_H */
