/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Windows of an image for any number of threads. */

#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "image/read_ahead.h"
#include "image/window_cache.h"
#include "util/buffer.h"
#include "util/thread.h"

/* No entry of the index. */
#define NOTHING UINT64_MAX

/* How far ahead of somebody who reads on to decode, for each helper. */
#define AHEAD_EACH 2u

/* A decoded window, or room for one. */
struct kept {
  struct window window;
  uint64_t entry;              /* NOTHING: what it holds is worth nothing */
  unsigned int users;          /* threads that copy from it */
  TAILQ_ENTRY (kept) by_use;
  LIST_ENTRY (kept) chain;
};

/* What it takes to decode one window.  Belongs to one thread from when ENTRY is
 * set to when it is NOTHING again.
 */
struct workplace {
  struct decoder *decoder;
  uint8_t *record;
  struct kept *kept;           /* to decode into */
  uint64_t entry;
};

struct helper {
  struct window_cache *cache;
  struct workplace *workplace;
  pthread_t thread;
};

struct window_cache {
  const struct image *image;
  struct decoding decoding;
  unsigned int readers, helper_count, workplace_count, kept_count;
  unsigned int started;        /* helpers */
  uint8_t *memory;
  size_t memory_bytes;
  struct kept *kept;           /* kept_count, and one for each workplace */
  struct workplace *workplaces;        /* the readers', then the helpers' */
  struct helper *helpers;

  /* All below, and what was said above of entries and users, under the lock. */
  pthread_mutex_t lock;
  pthread_cond_t decoded;      /* a workplace is free again */
  pthread_cond_t wanted;       /* something to decode ahead, or CLOSING */
  TAILQ_HEAD (kept_by_use, kept) by_use;       /* longest unused first */
  LIST_HEAD (kept_chain, kept) *table;         /* by entry */
  size_t table_mask;
  struct read_ahead ahead;     /* of entries */
  bool closing;
};

/* Room for a record in whole pages of the file. */
static size_t
record_room (uint32_t chunk_bytes)
{
  return (size_t) align_up (record_bytes_max (chunk_bytes), PAGE_BYTES) +
    2 * PAGE_BYTES;
}

uint64_t
window_cache_least (uint32_t chunk_bytes)
{
  return record_room (chunk_bytes) + 2 * (uint64_t) chunk_bytes;
}

/* Share out the memory: at most half of it for workplaces, but one, and at
 * least one window that is kept.
 */
static int
plan (struct window_cache *cache, const struct window_cache_options *options,
      struct error *err)
{
  uint32_t chunk = cache->image->header.chunk_bytes;
  uint64_t least = window_cache_least (chunk);
  uint64_t memory = options != NULL ? options->memory_bytes : least;
  uint64_t workplace = record_room (chunk) + chunk;
  uint64_t most = maximum_u64 (memory / 2 / workplace, 1);
  uint64_t records = maximum_u64 (cache->image->footer.record_count, 1);

  if (memory < least)
    return error_set (err, ERROR_USAGE, 0, "windows of %u bytes need %llu "
                      "bytes of memory", chunk, (unsigned long long) least);
  cache->readers = 1;
  if (options != NULL) {
    cache->helper_count = (unsigned int) minimum_u64 (options->helpers,
                                                      most - 1);
    most -= cache->helper_count;
    if (options->readers > 1)
      cache->readers = (unsigned int) minimum_u64 (most, options->readers);
  }
  cache->workplace_count = cache->readers + cache->helper_count;
  memory -= cache->workplace_count * workplace;
  records = minimum_u64 (records, UINT32_MAX / 4);
  cache->kept_count = (unsigned int) minimum_u64 (memory / chunk, records);
  cache->ahead.count = cache->image->footer.record_count;
  cache->ahead.distance = (unsigned int)
    minimum_u64 (minimum_u64 (cache->helper_count * AHEAD_EACH,
                              READ_AHEAD_MAX), cache->kept_count / 2);
  return 0;
}

/* First the windows that are kept, then those of the workplaces. */
static int
share_memory (struct window_cache *cache, struct error *err)
{
  uint32_t chunk = cache->image->header.chunk_bytes;
  unsigned int workplaces = cache->workplace_count, i;
  size_t kept = (size_t) cache->kept_count + workplaces;
  size_t chains = 1;
  uint8_t *next;

  while (chains < kept)
    chains *= 2;
  cache->table_mask = chains - 1;
  cache->table = calloc (chains, sizeof *cache->table);
  cache->kept = calloc (kept, sizeof *cache->kept);
  cache->workplaces = calloc (workplaces, sizeof *cache->workplaces);
  cache->helpers = calloc (cache->helper_count + 1, sizeof *cache->helpers);
  cache->memory_bytes = kept * chunk + workplaces * record_room (chunk);
  cache->memory = buffer_allocate (cache->memory_bytes);
  if (cache->table == NULL || cache->kept == NULL ||
      cache->workplaces == NULL || cache->helpers == NULL ||
      cache->memory == NULL)
    return error_set (err, ERROR_FAILED, ENOMEM,
                      "cannot allocate %zu bytes for windows",
                      cache->memory_bytes);
  next = cache->memory;
  for (i = 0; i < kept; i++, next += chunk) {
    cache->kept[i].entry = NOTHING;
    cache->kept[i].window.pages = next;
    if (i < cache->kept_count)
      TAILQ_INSERT_TAIL (&cache->by_use, &cache->kept[i], by_use);
    else
      cache->workplaces[i - cache->kept_count].kept = &cache->kept[i];
  }
  for (i = 0; i < workplaces; i++, next += record_room (chunk)) {
    cache->workplaces[i].entry = NOTHING;
    cache->workplaces[i].record = next;
  }
  return 0;
}

/* Under the lock: the window of ENTRY, or NULL. */
static struct kept *
find (struct window_cache *cache, uint64_t entry)
{
  struct kept *kept;

  LIST_FOREACH (kept, &cache->table[entry & cache->table_mask], chain)
    if (kept->entry == entry)
      return kept;
  return NULL;
}

/* Under the lock: the first of the COUNT first workplaces where ENTRY is being
 * decoded, or NOTHING, or NULL.
 */
static struct workplace *
workplace_of (const struct window_cache *cache, unsigned int count,
              uint64_t entry)
{
  unsigned int i;

  for (i = 0; i < count; i++)
    if (cache->workplaces[i].entry == entry)
      return &cache->workplaces[i];
  return NULL;
}

/* Under the lock: whether a thread is decoding ENTRY. */
static bool
is_under_way (const struct window_cache *cache, uint64_t entry)
{
  return workplace_of (cache, cache->workplace_count, entry) != NULL;
}

/* Read and decode the window of the workplace's entry; the thread's own. */
static int
decode (const struct window_cache *cache, struct workplace *workplace,
        struct error *err)
{
  const struct file *file = cache->image->file;
  const struct index_entry *entry = &cache->image->entries[workplace->entry];
  struct window *window = &workplace->kept->window;
  uint64_t start = align_down (entry->offset, PAGE_BYTES);
  uint64_t end = entry->offset + entry->record_bytes;

  /* Whole pages need no buffer in between. */
  end = maximum_u64 (end, minimum_u64 (align_up (end, PAGE_BYTES),
                                       file->size));
  if (file_read_at (file, start, workplace->record, (size_t) (end - start),
                    err) < 0)
    return -1;
  window->number = entry->window;
  window->record = workplace->record + (entry->offset - start);
  window->record_bytes = entry->record_bytes;
  return decode_window (workplace->decoder, window, entry, err);
}

/* Under the lock: keep what was decoded, in the place of the window that was
 * not used for longest and is not being copied from.  If there is none it is
 * not kept.
 */
static void
keep (struct window_cache *cache, struct workplace *workplace)
{
  struct kept *kept = workplace->kept, *old;

  TAILQ_FOREACH (old, &cache->by_use, by_use)
    if (old->users == 0)
      break;
  if (old == NULL)
    return;
  TAILQ_REMOVE (&cache->by_use, old, by_use);
  if (old->entry != NOTHING)
    LIST_REMOVE (old, chain);
  old->entry = NOTHING;
  workplace->kept = old;
  kept->entry = workplace->entry;
  TAILQ_INSERT_TAIL (&cache->by_use, kept, by_use);
  LIST_INSERT_HEAD (&cache->table[kept->entry & cache->table_mask], kept,
                    chain);
}

/* Bytes of a window that somebody waits for. */
struct request {
  size_t from;
  uint8_t *buffer;
  size_t length;
};

/* Under the lock, which is given up meanwhile: decode the window of ENTRY for
 * REQUEST, or NULL.
 */
static int
decode_at (struct window_cache *cache, struct workplace *workplace,
           uint64_t entry, const struct request *request, struct error *err)
{
  int result;

  workplace->entry = entry;
  pthread_mutex_unlock (&cache->lock);
  result = decode (cache, workplace, err);
  if (result == 0 && request != NULL)
    window_copy (&workplace->kept->window, request->from, request->buffer,
                 request->length);
  pthread_mutex_lock (&cache->lock);
  if (result == 0)
    keep (cache, workplace);
  workplace->entry = NOTHING;
  pthread_cond_broadcast (&cache->decoded);
  return result;
}

static void *
helper_main (void *opaque)
{
  struct helper *helper = opaque;
  struct window_cache *cache = helper->cache;

  pthread_mutex_lock (&cache->lock);
  while (!cache->closing) {
    struct error ignored = { 0 };
    uint64_t entry;

    if (!read_ahead_take (&cache->ahead, &entry))
      pthread_cond_wait (&cache->wanted, &cache->lock);
    /* Who asks for a window that fails gets the error. */
    else if (find (cache, entry) == NULL && !is_under_way (cache, entry))
      decode_at (cache, helper->workplace, entry, NULL, &ignored);
  }
  pthread_mutex_unlock (&cache->lock);
  return NULL;
}

static int
start_decoders (struct window_cache *cache, struct error *err)
{
  unsigned int i;

  for (i = 0; i < cache->workplace_count; i++)
    if (decoder_open (&cache->decoding, &cache->workplaces[i].decoder,
                      err) < 0)
      return -1;
  for (i = 0; i < cache->helper_count; i++) {
    struct helper *helper = &cache->helpers[i];
    int result;

    helper->cache = cache;
    helper->workplace = &cache->workplaces[cache->readers + i];
    result = thread_start (&helper->thread, helper_main, helper);
    if (result != 0)
      return error_set (err, ERROR_FAILED, result, "cannot start a thread");
    cache->started++;
  }
  return 0;
}

int
window_cache_open (const struct image *image, const struct decoding *decoding,
                   const struct window_cache_options *options,
                   struct window_cache **cache_out, struct error *err)
{
  struct window_cache *cache = calloc (1, sizeof *cache);

  if (cache == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot look into the image");
  cache->image = image;
  cache->decoding = *decoding;
  cache->decoding.prefix = NULL;
  cache->decoding.fast = false;
  TAILQ_INIT (&cache->by_use);
  pthread_mutex_init (&cache->lock, NULL);
  pthread_cond_init (&cache->decoded, NULL);
  pthread_cond_init (&cache->wanted, NULL);
  if (plan (cache, options, err) < 0 || share_memory (cache, err) < 0 ||
      start_decoders (cache, err) < 0) {
    window_cache_close (cache);
    return -1;
  }
  *cache_out = cache;
  return 0;
}

void
window_cache_close (struct window_cache *cache)
{
  unsigned int i;

  if (cache == NULL)
    return;
  pthread_mutex_lock (&cache->lock);
  cache->closing = true;
  pthread_cond_broadcast (&cache->wanted);
  pthread_mutex_unlock (&cache->lock);
  for (i = 0; i < cache->started; i++)
    pthread_join (cache->helpers[i].thread, NULL);
  for (i = 0; cache->workplaces != NULL && i < cache->workplace_count; i++)
    decoder_close (cache->workplaces[i].decoder);
  pthread_cond_destroy (&cache->wanted);
  pthread_cond_destroy (&cache->decoded);
  pthread_mutex_destroy (&cache->lock);
  buffer_free (cache->memory, cache->memory_bytes);
  free (cache->helpers);
  free (cache->workplaces);
  free (cache->kept);
  free (cache->table);
  free (cache);
}

int
window_cache_read (struct window_cache *cache, uint64_t entry, size_t from,
                   void *buffer, size_t length, struct error *err)
{
  const struct request request = { from, buffer, length };
  struct workplace *workplace = NULL;
  struct kept *kept;
  int result = 0;

  pthread_mutex_lock (&cache->lock);
  if (read_ahead_note (&cache->ahead, entry) > 0)
    pthread_cond_broadcast (&cache->wanted);
  while ((kept = find (cache, entry)) == NULL &&
         (is_under_way (cache, entry) ||
          (workplace = workplace_of (cache, cache->readers, NOTHING)) == NULL))
    pthread_cond_wait (&cache->decoded, &cache->lock);
  if (kept == NULL)
    result = decode_at (cache, workplace, entry, &request, err);
  else {
    kept->users++;
    TAILQ_REMOVE (&cache->by_use, kept, by_use);
    TAILQ_INSERT_TAIL (&cache->by_use, kept, by_use);
    pthread_mutex_unlock (&cache->lock);
    window_copy (&kept->window, from, buffer, length);
    pthread_mutex_lock (&cache->lock);
    kept->users--;
  }
  pthread_mutex_unlock (&cache->lock);
  return result;
}
