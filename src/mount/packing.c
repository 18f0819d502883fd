/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that were written, packed in the background: which, and when. */

#include <config.h>

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "mount/packing_private.h"
#include "sandbox/memory_only.h"
#include "util/checksum.h"
#include "util/clock.h"
#include "util/thread.h"

/* How long a file is left alone by us after it was used: libvirt comes once
 * more for the header.
 */
#define PAUSE_NS UINT64_C (500000000)

void
packed_image_id (const uint8_t old[IMAGE_ID_BYTES],
                 uint8_t id[IMAGE_ID_BYTES])
{
  uint64_t halves[] = {
    htole64 (checksum_two (old, IMAGE_ID_BYTES, "packed", 6)),
    htole64 (checksum_two ("packed", 6, old, IMAGE_ID_BYTES)),
  };

  static_assert (sizeof halves == IMAGE_ID_BYTES, "they make an image id");
  memcpy (id, halves, sizeof halves);
}

struct run_options
packing_run_options (const struct packing *packing, uint32_t chunk_bytes)
{
  /* A window and a record each, and what the worker has beside. */
  uint64_t threads = packing->options.memory_bytes /
    (5 * (uint64_t) chunk_bytes);
  struct error missing = { 0 };

  return (struct run_options) {
    .threads = (unsigned int)
      minimum_u64 (maximum_u64 (threads, 1), packing->options.threads),
    .memory_bytes = packing->options.memory_bytes,
    .confined = memory_only_available (&missing) == 0,
  };
}

/* Under the lock. */
static void
put_in (struct packing *packing, struct packable *packable)
{
  packable->due_ns = clock_nanoseconds (CLOCK_MONOTONIC) + PAUSE_NS;
  TAILQ_INSERT_TAIL (&packing->list, packable, link);
  packing->state.waiting++;
  pthread_cond_signal (&packing->changed);
}

/* Under the lock. */
static void
take_out (struct packing *packing, struct packable *packable)
{
  TAILQ_REMOVE (&packing->list, packable, link);
  packing->state.waiting--;
}

void
packing_add (struct packing *packing, struct node *node)
{
  struct packable *packable;

  if (packing == NULL)
    return;
  pthread_mutex_lock (&packing->lock);
  TAILQ_FOREACH (packable, &packing->list, link)
    if (packable->node == node)
      break;
  /* Without memory it is for the next mount. */
  if (packable == NULL && (packable = calloc (1, sizeof *packable)) != NULL) {
    store_hold (packing->store, node);
    packable->node = node;
    put_in (packing, packable);
  }
  pthread_mutex_unlock (&packing->lock);
}

/* Under the lock: wait for the first file that is due.  NULL: it is to stop. */
static struct packable *
wait_for_file (struct packing *packing)
{
  struct packable *packable;
  struct timespec until;

  while (!packing->stopping) {
    packable = TAILQ_FIRST (&packing->list);
    if (packable == NULL)
      pthread_cond_wait (&packing->changed, &packing->lock);
    else if (packable->due_ns <= clock_nanoseconds (CLOCK_MONOTONIC))
      return packable;
    else {
      until.tv_sec = (time_t) (packable->due_ns / 1000000000);
      until.tv_nsec = (long) (packable->due_ns % 1000000000);
      pthread_cond_clockwait (&packing->changed, &packing->lock,
                              CLOCK_MONOTONIC, &until);
    }
  }
  return NULL;
}

/* Under the lock, which is given up meanwhile. */
static void
pack_next (struct packing *packing, struct packable *packable)
{
  struct node *node = packable->node;
  enum packing_outcome outcome;

  take_out (packing, packable);
  descriptor_name (node->fd, packing->state.name, sizeof packing->state.name);
  packing->state.bytes = 0;
  pthread_mutex_unlock (&packing->lock);
  outcome = pack_file (packing, node);
  pthread_mutex_lock (&packing->lock);
  packing->state.name[0] = '\0';
  packing->state.files_packed += outcome == PACKING_DONE;
  packing->state.files_left += outcome == PACKING_LEFT;
  packing->state.files_given_up += outcome == PACKING_LATER;
  if (outcome == PACKING_LATER) {
    put_in (packing, packable);
    return;
  }
  free (packable);
  pthread_mutex_unlock (&packing->lock);
  store_forget (packing->store, node, 1);
  pthread_mutex_lock (&packing->lock);
}

static void *
packing_main (void *opaque)
{
  struct packing *packing = opaque;
  struct packable *packable;

  look_at_leftovers (packing);
  pthread_mutex_lock (&packing->lock);
  packing->state.looked = true;
  while ((packable = wait_for_file (packing)) != NULL)
    pack_next (packing, packable);
  pthread_mutex_unlock (&packing->lock);
  return NULL;
}

static void
free_packing (struct packing *packing)
{
  while (!TAILQ_EMPTY (&packing->list)) {
    struct packable *packable = TAILQ_FIRST (&packing->list);

    take_out (packing, packable);
    store_forget (packing->store, packable->node, 1);
    free (packable);
  }
  pthread_cond_destroy (&packing->changed);
  pthread_mutex_destroy (&packing->lock);
  free (packing);
}

int
packing_start (struct store *store, const struct packing_options *options,
               struct packing **packing_out, struct error *err)
{
  struct packing *packing = calloc (1, sizeof *packing);
  int result;

  if (packing == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up packing");
  packing->store = store;
  packing->options = *options;
  TAILQ_INIT (&packing->list);
  pthread_mutex_init (&packing->lock, NULL);
  pthread_cond_init (&packing->changed, NULL);
  result = thread_start (&packing->thread, packing_main, packing);
  if (result != 0) {
    free_packing (packing);
    return error_set (err, ERROR_FAILED, result, "cannot start a thread");
  }
  *packing_out = packing;
  return 0;
}

void
packing_stop (struct packing *packing)
{
  if (packing == NULL)
    return;
  pthread_mutex_lock (&packing->lock);
  atomic_store (&packing->stopping, true);
  pthread_cond_signal (&packing->changed);
  pthread_mutex_unlock (&packing->lock);
  pthread_join (packing->thread, NULL);
  free_packing (packing);
}

void
packing_list (struct packing *packing,
              void (*each) (void *opaque, const char *name), void *opaque)
{
  const struct packable *packable;
  char name[PATH_MAX];

  pthread_mutex_lock (&packing->lock);
  TAILQ_FOREACH (packable, &packing->list, link)
    each (opaque, descriptor_name (packable->node->fd, name, sizeof name));
  pthread_mutex_unlock (&packing->lock);
}

void
packing_describe (struct packing *packing, struct packing_state *state)
{
  pthread_mutex_lock (&packing->lock);
  *state = packing->state;
  pthread_mutex_unlock (&packing->lock);
  state->done_bytes = atomic_load (&packing->done_bytes);
}
