/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The memory to look into images. */

#include <config.h>

#include <pthread.h>
#include <stdlib.h>

#include "mount/views.h"

struct views {
  unsigned int threads;
  uint64_t memory;
  pthread_mutex_t lock;
  pthread_cond_t idle;         /* a view has no reader any more */
  uint64_t free;               /* of the memory */
  uint64_t reads;
  struct shown_image *first;
};

struct views *
views_new (uint64_t memory, unsigned int threads)
{
  struct views *views = calloc (1, sizeof *views);

  if (views == NULL)
    return NULL;
  views->threads = threads;
  views->memory = views->free = memory;
  pthread_mutex_init (&views->lock, NULL);
  pthread_cond_init (&views->idle, NULL);
  return views;
}

void
views_free (struct views *views)
{
  if (views == NULL)
    return;
  pthread_cond_destroy (&views->idle);
  pthread_mutex_destroy (&views->lock);
  free (views);
}

/* Under the lock: take the view of SHOWN away. */
static void
close_view (struct views *views, struct shown_image *shown)
{
  struct shown_image **link = &views->first;

  if (shown->view == NULL)
    return;
  while (*link != shown)
    link = &(*link)->next;
  *link = shown->next;
  image_view_close (shown->view);
  shown->view = NULL;
  views->free += shown->memory;
}

/* Under the lock: close the view that nobody has read for longest.  Returns
 * whether there was one without a reader.
 */
static bool
close_oldest (struct views *views)
{
  struct shown_image *shown, *oldest = NULL;

  for (shown = views->first; shown != NULL; shown = shown->next)
    if (shown->readers == 0 &&
        (oldest == NULL || shown->used < oldest->used))
      oldest = shown;
  if (oldest == NULL)
    return false;
  close_view (views, oldest);
  return true;
}

/* Under the lock: open a view with most of the memory that is free.  The next
 * one gets less; large chunks may need all there is, and more.
 */
static int
open_view (struct views *views, struct shown_image *shown, struct error *err)
{
  uint64_t least = window_cache_least (shown->image->header.chunk_bytes);
  const struct window_cache_options options = {
    .memory_bytes = maximum_u64 (views->free - views->free / 4, least),
    .readers = views->threads,
    .helpers = views->threads,
  };

  if (image_view_open (shown->image, &shown->decoding, &options,
                       &shown->view, err) < 0)
    return -1;
  shown->memory = minimum_u64 (options.memory_bytes, views->free);
  views->free -= shown->memory;
  shown->next = views->first;
  views->first = shown;
  return 0;
}

/* Under the lock: see to it that SHOWN has a view. */
static int
find_view (struct views *views, struct shown_image *shown, struct error *err)
{
  uint64_t least = minimum_u64 (
    window_cache_least (shown->image->header.chunk_bytes), views->memory);

  while (shown->view == NULL && views->free < least)
    if (!close_oldest (views))
      pthread_cond_wait (&views->idle, &views->lock);
  return shown->view != NULL ? 0 : open_view (views, shown, err);
}

int
views_read (struct views *views, struct shown_image *shown, uint64_t offset,
            void *buffer, size_t length, struct error *err)
{
  int result;

  pthread_mutex_lock (&views->lock);
  result = find_view (views, shown, err);
  if (result == 0) {
    shown->readers++;
    shown->used = ++views->reads;
    pthread_mutex_unlock (&views->lock);
    result = image_view_read (shown->view, offset, buffer, length, err);
    pthread_mutex_lock (&views->lock);
    if (--shown->readers == 0)
      pthread_cond_broadcast (&views->idle);
  }
  pthread_mutex_unlock (&views->lock);
  return result;
}

void
views_drop (struct views *views, struct shown_image *shown)
{
  pthread_mutex_lock (&views->lock);
  close_view (views, shown);
  pthread_cond_broadcast (&views->idle);
  pthread_mutex_unlock (&views->lock);
}

void
views_describe (struct views *views, unsigned int *count, uint64_t *memory,
                uint64_t *reads)
{
  const struct shown_image *shown;

  *count = 0;
  pthread_mutex_lock (&views->lock);
  for (shown = views->first; shown != NULL; shown = shown->next)
    ++*count;
  *memory = views->memory - views->free;
  *reads = views->reads;
  pthread_mutex_unlock (&views->lock);
}
