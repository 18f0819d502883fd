/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* STORE: a folder, and what the kernel knows of below it.
 *
 * Nothing below the folder's descriptor is reached by a path: a name is looked
 * up in a node that is a folder, and no link is followed.
 */

#ifndef IOPRESS_MOUNT_STORE_H
#define IOPRESS_MOUNT_STORE_H

#include <pthread.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "mount/mounted.h"
#include "names/place.h"

#define STORE_CHAINS 1024u

/* A file of any type.  Stays as long as the kernel remembers it. */
struct node {
  int fd;                      /* O_PATH */
  dev_t device;
  ino_t inode;
  uint64_t lookups;            /* under the lock of the store */
  LIST_ENTRY (node) chain;     /* the same */
  struct mounted *file;        /* of a regular file, or NULL */
};

LIST_HEAD (node_chain, node);

struct store {
  struct mounting *mounting;
  struct node root;
  pthread_mutex_t lock;        /* all below */
  /* A file that is about to take the place of SUCCEEDED's, or has just done so:
   * either is that node.
   */
  struct node *succeeded;
  ino_t successor;
  struct node_chain chains[STORE_CHAINS];
};

/* Take FD, the folder's descriptor, over.  Returns 0, or -1 with ERR; the
 * folder is locked against another mount for as long as the store is open.
 */
int store_open (int fd, struct mounting *mounting, struct store *store,
                struct error *err);

/* Nobody may use it any more.  All that is being written is finished. */
void store_close (struct store *store);

/* Look NAME up in PARENT; the node counts one lookup more.  Any thread.
 * Returns 0, or a positive errno: EXDEV for what another file system is mounted
 * on.
 */
int store_lookup (struct store *store, const struct node *parent,
                  const char *name, struct node **node);

/* NODE counts one lookup more.  Any thread that has one. */
void store_hold (struct store *store, struct node *node);

/* Take COUNT lookups back; the node is gone with the last. */
void store_forget (struct store *store, struct node *node, uint64_t count);

/* The name that FD's file, below the folder ROOT, has now, as far as it can be
 * told: who opens PLACE must see what has it.  The folder is the store's, not
 * what is mounted there.  Any thread.  Returns 0, or -1 with ERR.
 */
int store_find_place (int root, int fd, struct place *place,
                      struct error *err);

/* The file SUCCESSOR, of the store's file system, is about to get the name of
 * NODE's: who looks that up gets NODE, whichever he finds.  One at a time.
 */
void store_begin_succession (struct store *store, struct node *node,
                             ino_t successor);

/* NODE is the successor's, if it DID get the name, and the file that it had has
 * none any more; or it is what it was.
 */
void store_end_succession (struct store *store, bool did);

/* See mounted_hold; does nothing for what is no regular file. */
void node_hold (struct node *node);
void node_let_go (struct node *node);

/* What is shown of a node: an image has the size of its source.  Returns 0, or
 * a positive errno.
 */
int node_attributes (struct node *node, struct stat *attributes);

/* Room for node_path. */
#define NODE_PATH_BYTES 32

/* A path that leads to the node whatever becomes of its name, for calls that
 * take no descriptor with O_PATH.  Returns PATH.
 */
const char *descriptor_path (int fd, char path[NODE_PATH_BYTES]);

/* The name that what FD is has in the store, for messages alone.  Returns NAME,
 * which has room for SIZE bytes.
 */
const char *descriptor_name (int fd, char *name, size_t size);

#endif /* IOPRESS_MOUNT_STORE_H */
