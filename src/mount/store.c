/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* STORE: a folder, and what the kernel knows of below it. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "mount/store.h"

/* How often and how long to wait for a mount that is ending. */
#define LOCK_TRIES 300
#define LOCK_PAUSE_US 100000

/* How often what has a name may lose it before that is taken for what it is. */
#define LOOKUP_TRIES 5

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

/* Under the lock: the node of the file INODE, or NULL. */
static struct node *
find_node (struct store *store, ino_t inode)
{
  struct node *node;

  if (store->succeeded != NULL && store->successor == inode)
    return store->succeeded;
  LIST_FOREACH (node, chain_of (store, inode), chain)
    if (node->inode == inode)
      break;
  return node;
}

/* Under the lock: the node of what FD is, made where there is none.  FD is
 * taken over or closed.
 */
static int
find_or_make (struct store *store, int fd, const struct stat *attributes,
              struct node **node_out)
{
  struct node *node = find_node (store, attributes->st_ino);
  int result = 0;

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

/* Under the lock: the node of what has just been opened as FD, which is taken
 * over or closed.  Returns 0, or an errno: ESTALE when it must have LINKS and
 * has lost its name since.
 */
static int
take_opened (struct store *store, int fd, bool links, struct node **node)
{
  struct stat attributes;
  int result = 0;

  if (fstat (fd, &attributes) < 0)
    result = errno;
  /* Inode numbers are those of one file system. */
  else if (attributes.st_dev != store->root.device)
    result = EXDEV;
  else if (links && attributes.st_nlink == 0)
    result = ESTALE;
  if (result == 0)
    return find_or_make (store, fd, &attributes, node);
  close (fd);
  return result;
}

int
store_lookup (struct store *store, const struct node *parent,
              const char *name, struct node **node)
{
  int tries = LOOKUP_TRIES;
  int fd, result;

  do {
    fd = openat (parent->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
      return errno;
    pthread_mutex_lock (&store->lock);
    /* Some file systems do not count links. */
    result = take_opened (store, fd, --tries > 0, node);
    pthread_mutex_unlock (&store->lock);
  } while (result == ESTALE);
  return result;
}

void
store_hold (struct store *store, struct node *node)
{
  pthread_mutex_lock (&store->lock);
  node->lookups++;
  pthread_mutex_unlock (&store->lock);
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

/* Open the folder PATH, which is relative and ends at the last '/' before NAME,
 * step by step.  Returns a descriptor, or -1 with errno.
 */
static int
open_below (int root, char *path, const char *name)
{
  int fd = openat (root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  while (fd >= 0 && path < name) {
    char *slash = strchr (path, '/');
    int next;

    *slash = '\0';
    next = openat (fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
                   O_CLOEXEC);
    close (fd);
    fd = next;
    path = slash + 1;
  }
  return fd;
}

int
store_find_place (int root, int fd, struct place *place, struct error *err)
{
  char above[PATH_MAX], path[PATH_MAX];
  size_t length;
  char *slash;
  int folder;

  descriptor_name (root, above, sizeof above);
  descriptor_name (fd, path, sizeof path);
  length = strcmp (above, "/") == 0 ? 0 : strlen (above);
  slash = strrchr (path, '/');
  if (strncmp (path, above, length) != 0 || path[length] != '/' ||
      slash == NULL)
    return error_set (err, ERROR_FAILED, ENOENT, "its name is not known");
  folder = open_below (root, path + length + 1, slash + 1);
  if (folder < 0)
    return error_set (err, ERROR_FAILED, errno, "cannot open its folder");
  return place_take_folder (folder, slash + 1, place, err);
}

void
store_begin_succession (struct store *store, struct node *node,
                        ino_t successor)
{
  pthread_mutex_lock (&store->lock);
  store->succeeded = node;
  store->successor = successor;
  pthread_mutex_unlock (&store->lock);
}

void
store_end_succession (struct store *store, bool did)
{
  struct node *node = store->succeeded;

  pthread_mutex_lock (&store->lock);
  if (did) {
    LIST_REMOVE (node, chain);
    node->inode = store->successor;
    LIST_INSERT_HEAD (chain_of (store, node->inode), node, chain);
  }
  store->succeeded = NULL;
  pthread_mutex_unlock (&store->lock);
}

void
node_hold (struct node *node)
{
  if (node->file != NULL)
    mounted_hold (node->file);
}

void
node_let_go (struct node *node)
{
  if (node->file != NULL)
    mounted_let_go (node->file);
}

int
node_attributes (struct node *node, struct stat *attributes)
{
  if (node->file != NULL)
    return mounted_attributes (node->file, attributes);
  return fstat (node->fd, attributes) < 0 ? errno : 0;
}
