/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that is being packed in the background. */

#ifndef IOPRESS_MOUNT_PACKED_H
#define IOPRESS_MOUNT_PACKED_H

#include "mount/packing_private.h"
#include "mount/shown.h"
#include "names/draft.h"
#include "pipeline/repack.h"

struct packed {
  struct packing *packing;
  struct node *node;
  char name[256];              /* for messages */
  struct shown_image *shown;   /* the image as it is */
  struct place place;          /* its name */
  struct draft draft;          /* of the new one */
  struct file output;
  struct repack repack;
  struct footer footer;
  uint64_t image_bytes, bytes_before, begun_ns;
  bool useless;                /* there is nothing to gain */
  bool succeeding;             /* store_begin_succession was called */
  /* An errno, why it was given up: it is wanted, or there is no more room. */
  volatile sig_atomic_t cancelled;
  int result;
  struct error err;
};

/* Put the new image, a struct packed, in the place of the old one; see
 * mounted_replace.
 */
int packed_put (void *opaque, int *path_fd);

#endif /* IOPRESS_MOUNT_PACKED_H */
