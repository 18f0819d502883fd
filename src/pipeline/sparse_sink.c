/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writer of restore to a regular file: absent pages become holes. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "io/early_sync.h"
#include "pipeline/page_sink.h"
#include "util/cleanup.h"

/* Requests in flight.  Many images have short runs of pages, so more than a
 * disk needs of large ones.
 */
#define WRITE_DEPTH 32u

/* The writes of one window. */
struct window_writes {
  struct slot *slot;
  unsigned int pending;        /* requests that have not come back */
  struct aio_request *requests;        /* one for each run of pages */
  struct window_writes *next;  /* in the list of free ones */
};

struct sparse_sink {
  struct file *output;
  const struct image *image;
  struct kept_pages kept;      /* empty, but for sparse_sink_open_behind */
  struct aio *aio;
  struct early_sync *sync;
  uint64_t written;            /* bytes, so far */
  unsigned int writing;        /* requests that have not come back */
  struct window_writes *free;
};

static int
fail (const struct file *file, int errnum, uint64_t offset,
      struct error *err)
{
  return error_about (err, ERROR_FAILED, errnum, file->name,
                      "cannot be written at offset %llu",
                      (unsigned long long) offset);
}

/* Submit one write and wait for it. */
static int
write_now (struct sparse_sink *sink, struct aio_request *request,
           struct error *err)
{
  aio_submit (sink->aio, request);
  request = aio_wait (sink->aio, true);
  if (request->errnum != 0)
    return fail (sink->output, request->errnum, request->offset, err);
  return 0;
}

/* Write the prefix, page by page where it is not zero; records overwrite the
 * page that they share with it.
 */
static int
write_prefix (struct sparse_sink *sink, struct error *err)
{
  uint64_t bytes = sink->image->header.prefix_bytes;
  CLEANUP_FREE void *page = NULL;
  uint64_t offset;

  if (bytes == 0)
    return 0;
  errno = posix_memalign (&page, PAGE_BYTES, PAGE_BYTES);
  if (errno != 0)
    return fail (sink->output, errno, 0, err);
  for (offset = 0; offset < bytes; offset += PAGE_BYTES) {
    struct aio_request request = {
      .file = sink->output,
      .write = true,
      .buffer = page,
      .length = PAGE_BYTES,
      .needed = PAGE_BYTES,
      .offset = offset,
    };

    memset (page, 0, PAGE_BYTES);
    memcpy (page, sink->image->prefix + offset,
            (size_t) minimum_u64 (PAGE_BYTES, bytes - offset));
    if (!bytes_are_zero (page, PAGE_BYTES) &&
        write_now (sink, &request, err) < 0)
      return -1;
  }
  return 0;
}

/* Writes for one window, from the free list or new; there are never more
 * than slots.
 */
static struct window_writes *
take_writes (struct sparse_sink *sink)
{
  struct window_writes *writes = sink->free;
  /* Runs are at least a page apart. */
  size_t runs = sink->image->header.chunk_bytes / PAGE_BYTES / 2;

  if (writes != NULL) {
    sink->free = writes->next;
    return writes;
  }
  writes = calloc (1, sizeof *writes);
  if (writes != NULL)
    writes->requests = calloc (runs, sizeof *writes->requests);
  if (writes == NULL || writes->requests == NULL) {
    free (writes);
    return NULL;
  }
  return writes;
}

static void
put_writes (struct sparse_sink *sink, struct window_writes *writes)
{
  writes->next = sink->free;
  sink->free = writes;
}

/* Keep the pages that are the caller's to write.  Returns the first of the
 * window's others and moves *RAW on to it.
 */
static uint64_t
keep_pages (const struct kept_pages *kept, const struct slot *slot,
            uint64_t start, uint64_t pages, uint8_t **raw)
{
  uint64_t page = bitmap_next_set (slot->window.map, 0, pages);

  while (page < pages && start + page * PAGE_BYTES < kept->to) {
    uint64_t offset = start + page * PAGE_BYTES;

    if (offset >= kept->from)
      memcpy (kept->pages + (offset - kept->from), *raw, PAGE_BYTES);
    *raw += PAGE_BYTES;
    page = bitmap_next_set (slot->window.map, page + 1, pages);
  }
  return page;
}

/* Fill in one request for each run of present pages. */
static void
prepare_runs (struct sparse_sink *sink, struct window_writes *writes)
{
  struct slot *slot = writes->slot;
  uint64_t start = slot->window.number * sink->image->header.chunk_bytes;
  uint64_t pages = sink->image->header.chunk_bytes / PAGE_BYTES;
  uint8_t *raw = slot->window.pages;
  uint64_t first = keep_pages (&sink->kept, slot, start, pages, &raw);

  while (first < pages) {
    uint64_t end = bitmap_next_clear (slot->window.map, first, pages);
    struct aio_request *request = &writes->requests[writes->pending++];

    request->file = sink->output;
    request->write = true;
    request->buffer = raw;
    request->length = (size_t) (end - first) * PAGE_BYTES;
    request->needed = request->length;
    request->offset = start + first * PAGE_BYTES;
    request->owner = writes;
    aio_submit (sink->aio, request);
    raw += request->length;
    first = bitmap_next_set (slot->window.map, end, pages);
  }
}

static int
begin (void *opaque, struct slot *slot, struct error *err)
{
  struct sparse_sink *sink = opaque;
  struct window_writes *writes;

  if (sink->writing == 0 &&
      early_sync_idle (sink->sync, sink->written, err) < 0)
    return -1;
  writes = take_writes (sink);
  if (writes == NULL)
    return error_set (err, ERROR_FAILED, ENOMEM, "cannot set up writing");
  writes->slot = slot;
  prepare_runs (sink, writes);
  sink->writing += writes->pending;
  aio_flush (sink->aio);
  if (writes->pending > 0)
    return SINK_KEEP;
  put_writes (sink, writes);
  return SINK_DONE;
}

static void
finish (void *opaque, bool wait, struct slot **slot)
{
  struct sparse_sink *sink = opaque;
  struct aio_request *request;

  *slot = NULL;
  while ((request = aio_wait (sink->aio, wait)) != NULL) {
    struct window_writes *writes = request->owner;

    if (request->errnum != 0)
      fail (sink->output, request->errnum, request->offset,
            &writes->slot->error);
    file_write_behind (sink->output, request->offset, request->length);
    sink->written += request->length;
    sink->writing--;
    if (--writes->pending == 0) {
      *slot = writes->slot;
      put_writes (sink, writes);
      return;
    }
  }
}

static void
wind_down (void *opaque)
{
  struct sparse_sink *sink = opaque;

  aio_wind_down (sink->aio);
}

static int
complete (void *opaque, struct error *err)
{
  struct sparse_sink *sink = opaque;

  if (sink->kept.pages == NULL &&
      file_truncate (sink->output, sink->image->header.source_bytes, err) < 0)
    return -1;
  return early_sync_finish (sink->sync, err);
}

static void
close_sink (void *opaque)
{
  struct sparse_sink *sink = opaque;
  struct window_writes *writes, *next;

  early_sync_close (sink->sync);
  aio_close (sink->aio);
  for (writes = sink->free; writes != NULL; writes = next) {
    next = writes->next;
    free (writes->requests);
    free (writes);
  }
  free (sink);
}

int
sparse_sink_open_behind (struct file *output, const struct image *image,
                         const struct kept_pages *kept, struct sink *sink_out,
                         struct error *err)
{
  struct sparse_sink *sink = calloc (1, sizeof *sink);

  if (sink == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up writing");
  sink->output = output;
  sink->image = image;
  sink->kept = *kept;
  if (aio_open (WRITE_DEPTH, &sink->aio, err) < 0 ||
      early_sync_open (output, &sink->sync, err) < 0) {
    close_sink (sink);
    return -1;
  }
  *sink_out = (struct sink) {
    .opaque = sink,
    .begin = begin,
    .finish = finish,
    .wind_down = wind_down,
    .complete = complete,
    .close = close_sink,
  };
  return 0;
}

int
sparse_sink_open (struct file *output, const struct image *image,
                  struct sink *sink, struct error *err)
{
  const struct kept_pages none = { .pages = NULL };

  /* With its size set first the file system lays the file out in longer
   * pieces, and needs fewer blocks of its own to describe them.
   */
  if (file_truncate (output, image->header.source_bytes, err) < 0 ||
      sparse_sink_open_behind (output, image, &none, sink, err) < 0)
    return -1;
  if (write_prefix (sink->opaque, err) == 0)
    return 0;
  sink_close (sink);
  *sink = (struct sink) SINK_CLOSED;
  return -1;
}
