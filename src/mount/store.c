/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* STORE: a folder, and what the kernel knows of below it. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "mount/store.h"

/* How often and how long to wait for a mount that is ending. */
#define LOCK_TRIES 300
#define LOCK_PAUSE_US 100000

const char *
descriptor_path (int fd, char path[NODE_PATH_BYTES])
{
  snprintf (path, NODE_PATH_BYTES, "/proc/self/fd/%d", fd);
  return path;
}

const char *
descriptor_name (int fd, char *name, size_t size)
{
  char path[NODE_PATH_BYTES];
  ssize_t length = readlink (descriptor_path (fd, path), name, size - 1);

  name[length > 0 ? length : 0] = '\0';
  return name;
}

/* Alone, so that no two mounts write to the same files. */
static int
lock_folder (int fd, struct error *err)
{
  int tries;

  for (tries = 0; tries < LOCK_TRIES; tries++) {
    if (flock (fd, LOCK_EX | LOCK_NB) == 0)
      return 0;
    if (errno != EWOULDBLOCK)
      return error_set (err, ERROR_FAILED, errno, "cannot lock the folder");
    usleep (LOCK_PAUSE_US);
  }
  error_set (err, ERROR_FAILED, 0, "is the store of another mount");
  return error_hint (err, "unmount that one first");
}

int
store_open (int fd, struct mounting *mounting, struct store *store,
            struct error *err)
{
  struct stat attributes;
  size_t i;

  store->mounting = mounting;
  store->root.fd = fd;
  if (fstat (fd, &attributes) < 0)
    return error_set (err, ERROR_FAILED, errno, "cannot look at the folder");
  if (lock_folder (fd, err) < 0)
    return -1;
  store->root.device = attributes.st_dev;
  store->root.inode = attributes.st_ino;
  store->root.lookups = 1;
  pthread_mutex_init (&store->lock, NULL);
  for (i = 0; i < STORE_CHAINS; i++)
    LIST_INIT (&store->chains[i]);
  return 0;
}

static struct node_chain *
chain_of (struct store *store, ino_t inode)
{
  return &store->chains[inode % STORE_CHAINS];
}

static void
free_node (struct node *node)
{
  mounted_free (node->file);
  close (node->fd);
  free (node);
}

void
store_close (struct store *store)
{
  size_t i;

  for (i = 0; i < STORE_CHAINS; i++)
    while (!LIST_EMPTY (&store->chains[i])) {
      struct node *node = LIST_FIRST (&store->chains[i]);

      LIST_REMOVE (node, chain);
      free_node (node);
    }
  pthread_mutex_destroy (&store->lock);
  close (store->root.fd);
}

/* Make a node of FD, which it takes over.  Returns 0, or an errno. */
static int
make_node (struct store *store, int fd, const struct stat *attributes,
           struct node **node_out)
{
  struct node *node = calloc (1, sizeof *node);

  if (node == NULL)
    return ENOMEM;
  if (S_ISREG (attributes->st_mode)) {
    node->file = mounted_new (store->mounting, fd);
    if (node->file == NULL) {
      free (node);
      return ENOMEM;
    }
  }
  node->fd = fd;
  node->device = attributes->st_dev;
  node->inode = attributes->st_ino;
  LIST_INSERT_HEAD (chain_of (store, node->inode), node, chain);
  *node_out = node;
  return 0;
}

/* Under the lock: the node of what FD is, made where there is none.  FD is taken
 * over or closed.
 */
static int
find_or_make (struct store *store, int fd, const struct stat *attributes,
              struct node **node_out)
{
  struct node *node;
  int result = 0;

  LIST_FOREACH (node, chain_of (store, attributes->st_ino), chain)
    if (node->inode == attributes->st_ino)
      break;
  if (node == NULL)
    result = make_node (store, fd, attributes, &node);
  if (node == NULL || node->fd != fd)
    close (fd);
  if (result != 0)
    return result;
  node->lookups++;
  *node_out = node;
  return 0;
}

int
store_lookup (struct store *store, const struct node *parent,
              const char *name, struct node **node)
{
  int fd = openat (parent->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat attributes;
  int result = 0;

  if (fd < 0)
    return errno;
  if (fstat (fd, &attributes) < 0)
    result = errno;
  /* Inode numbers are those of one file system. */
  else if (attributes.st_dev != store->root.device)
    result = EXDEV;
  if (result != 0) {
    close (fd);
    return result;
  }
  pthread_mutex_lock (&store->lock);
  result = find_or_make (store, fd, &attributes, node);
  pthread_mutex_unlock (&store->lock);
  return result;
}

void
store_forget (struct store *store, struct node *node, uint64_t count)
{
  bool gone;

  if (node == &store->root)
    return;
  pthread_mutex_lock (&store->lock);
  node->lookups -= count;
  gone = node->lookups == 0;
  if (gone)
    LIST_REMOVE (node, chain);
  pthread_mutex_unlock (&store->lock);
  if (gone)
    free_node (node);
}

int
node_attributes (struct node *node, struct stat *attributes)
{
  if (node->file != NULL)
    return mounted_attributes (node->file, attributes);
  return fstat (node->fd, attributes) < 0 ? errno : 0;
}
