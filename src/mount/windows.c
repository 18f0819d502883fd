/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The windows in memory of all files that are being written: which is whose. */

#include <config.h>


#include "mount/recording.h"
#include "mount/writing_private.h"

/* Of the windows, the part that may be open and changed before the oldest goes
 * to be recorded, and the part of ragged ones that may stay longer.
 */
#define OPEN_PART 3u

struct held *
windows_find (struct windows *windows, const struct writing *owner,
              uint64_t number)
{
  unsigned int i;

  for (i = 0; i < windows->count; i++) {
    struct held *held = &windows->held[i];

    if (held->owner == owner && held->window.number == number)
      return held;
  }
  return NULL;
}

static void
leave_open (struct windows *windows, struct held *held)
{
  TAILQ_REMOVE (&windows->open, held, link);
  windows->open_dirty -= held->dirty;
  windows->open_ragged -= held->dirty && held->ragged;
}

static void
enter_open (struct windows *windows, struct held *held)
{
  held->state = HELD_OPEN;
  TAILQ_INSERT_TAIL (&windows->open, held, link);
  windows->open_dirty += held->dirty;
  windows->open_ragged += held->dirty && held->ragged;
}

static void
enter_waiting (struct windows *windows, struct held *held)
{
  held->state = HELD_WAITING;
  TAILQ_INSERT_TAIL (&windows->waiting, held, link);
  pthread_cond_signal (&windows->work);
}

/* The changed window that was not used for longest, or NULL.  A ragged one only
 * when there are many: what is written in small pieces is written to again.
 */
static struct held *
oldest_dirty (struct windows *windows)
{
  bool any = windows->open_ragged > windows->count / OPEN_PART;
  struct held *held;

  TAILQ_FOREACH (held, &windows->open, link)
    if (held->dirty && held->users == 0 && (any || !held->ragged))
      return held;
  return NULL;
}

static struct held *
oldest_clean (struct windows *windows)
{
  struct held *held;

  TAILQ_FOREACH (held, &windows->open, link)
    if (!held->dirty && held->users == 0)
      return held;
  return NULL;
}

void
windows_store (struct windows *windows, struct held *held)
{
  pthread_mutex_unlock (&windows->lock);
  pthread_mutex_lock (&windows->storing);
  record_held (windows, windows->storer, held);
  pthread_mutex_unlock (&windows->storing);
  pthread_mutex_lock (&windows->lock);
}

/* Under the lock, which is given up meanwhile. */
static void
store_oldest (struct windows *windows)
{
  struct held *held = TAILQ_FIRST (&windows->waiting);

  TAILQ_REMOVE (&windows->waiting, held, link);
  held->state = HELD_BUSY;
  windows_store (windows, held);
}

/* A window that is free, or NULL after something was done or has happened that
 * may have changed everything.
 */
static struct held *
take_free (struct windows *windows)
{
  struct held *held = TAILQ_FIRST (&windows->free);

  if (held != NULL) {
    TAILQ_REMOVE (&windows->free, held, link);
    return held;
  }
  held = oldest_clean (windows);
  if (held != NULL) {
    leave_open (windows, held);
    return held;
  }
  if (TAILQ_EMPTY (&windows->waiting)) {
    held = oldest_dirty (windows);
    if (held != NULL) {
      leave_open (windows, held);
      enter_waiting (windows, held);
    }
  }
  /* The workers are behind: no longer wait than the disk takes. */
  if (!windows->pack_now && !TAILQ_EMPTY (&windows->waiting))
    store_oldest (windows);
  else
    pthread_cond_wait (&windows->changed, &windows->lock);
  return NULL;
}

void
windows_release (struct windows *windows, struct held *held)
{
  held->owner = NULL;
  held->dirty = held->ragged = false;
  held->state = HELD_FREE;
  TAILQ_INSERT_HEAD (&windows->free, held, link);
  pthread_cond_broadcast (&windows->changed);
}

/* Make HELD, which is the caller's, the window NUMBER of OWNER. */
static int
fill (struct windows *windows, struct writing *owner, uint64_t number,
      enum held_purpose purpose, struct held *held)
{
  struct index_entry entry;
  int result = 0;

  held->owner = owner;
  held->window.number = number;
  held->state = HELD_BUSY;
  held->dirty = held->ragged = false;
  memset (held->window.map, 0, page_map_bytes (windows->chunk_bytes));
  if (purpose != FOR_REPLACING &&
      record_table_find (&owner->records, number, &entry)) {
    pthread_mutex_unlock (&windows->lock);
    pthread_mutex_lock (&windows->loading);
    result = load_held (windows->loader, held, &entry);
    pthread_mutex_unlock (&windows->loading);
    pthread_mutex_lock (&windows->lock);
  }
  if (result != 0)
    windows_release (windows, held);
  else {
    enter_open (windows, held);
    pthread_cond_broadcast (&windows->changed);
  }
  return result;
}

int
windows_get (struct windows *windows, struct writing *owner, uint64_t number,
             enum held_purpose purpose, struct held **held_out)
{
  struct held *held;
  int result;

  for (;;) {
    if (owner->error != 0)
      return owner->error;
    held = windows_find (windows, owner, number);
    if (held == NULL) {
      held = take_free (windows);
      if (held == NULL)
        continue;
      /* The lock was not given up since. */
      result = fill (windows, owner, number, purpose, held);
      if (result != 0)
        return result;
    }
    if (held->state != HELD_BUSY)
      break;
    pthread_cond_wait (&windows->changed, &windows->lock);
  }
  if (held->state == HELD_WAITING)
    TAILQ_REMOVE (&windows->waiting, held, link);
  else
    leave_open (windows, held);
  enter_open (windows, held);
  held->users++;
  *held_out = held;
  return 0;
}

void
windows_put (struct windows *windows, struct held *held)
{
  uint32_t pages = windows->chunk_bytes / PAGE_BYTES;
  struct held *old;

  if (--held->users > 0)
    return;
  pthread_cond_broadcast (&windows->changed);
  /* There is nothing more to come. */
  if (held->state == HELD_OPEN && held->dirty && !held->ragged &&
      bitmap_next_clear (held->window.map, 0, pages) == pages) {
    leave_open (windows, held);
    enter_waiting (windows, held);
  }
  while (windows->open_dirty - windows->open_ragged >
         windows->count / OPEN_PART &&
         (old = oldest_dirty (windows)) != NULL) {
    leave_open (windows, old);
    enter_waiting (windows, old);
  }
}

void
windows_dirtied (struct windows *windows, struct held *held, bool ragged)
{
  leave_open (windows, held);
  held->dirty = true;
  held->ragged |= ragged;
  enter_open (windows, held);
}

void
windows_flush (struct windows *windows, struct writing *owner)
{
  unsigned int i;

  for (i = 0; i < windows->count; i++) {
    struct held *held = &windows->held[i];

    if (held->owner == owner && held->state == HELD_OPEN && held->dirty) {
      leave_open (windows, held);
      enter_waiting (windows, held);
    }
  }
  while (owner->promised > 0)
    if (!windows->pack_now && !TAILQ_EMPTY (&windows->waiting))
      store_oldest (windows);
    else
      pthread_cond_wait (&windows->changed, &windows->lock);
}

void
windows_drop (struct windows *windows, struct writing *owner, uint64_t first,
              uint64_t end)
{
  unsigned int i;

  for (i = 0; i < windows->count; i++) {
    struct held *held = &windows->held[i];

    while (held->owner == owner && held->state == HELD_BUSY)
      pthread_cond_wait (&windows->changed, &windows->lock);
    if (held->owner != owner || held->window.number < first ||
        held->window.number >= end)
      continue;
    owner->promised -= held->dirty;
    if (held->state == HELD_WAITING)
      TAILQ_REMOVE (&windows->waiting, held, link);
    else
      leave_open (windows, held);
    windows_release (windows, held);
  }
}
