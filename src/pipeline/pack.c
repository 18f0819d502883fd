/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The work of save: a window's pages become a record. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "pipeline/pack.h"

struct pack_worker {
  const struct pack *pack;
  struct encoder *encoder;
};

static int
worker_open (void *opaque, void **worker_out, struct error *err)
{
  const struct pack *pack = opaque;
  struct pack_worker *worker = calloc (1, sizeof *worker);

  if (worker == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up a worker");
  worker->pack = pack;
  if (encoder_open (&pack->encoding, &worker->encoder, err) < 0) {
    free (worker);
    return -1;
  }
  *worker_out = worker;
  return 0;
}

static void
worker_close (void *opaque)
{
  struct pack_worker *worker = opaque;

  encoder_close (worker->encoder);
  free (worker);
}

/* Zero what QEMU marks absent in the pages FIRST to END - 1 of WINDOW, which
 * stand at FROM.
 */
static void
clear_absent (const struct pack *pack, const struct window *window,
              uint8_t *from, uint64_t first, uint64_t end)
{
  uint64_t start = window->number * pack->encoding.header->chunk_bytes;

  if (pack->ram != NULL)
    mapped_ram_clear_absent (pack->ram, start + first * PAGE_BYTES, from,
                             (size_t) (end - first) * PAGE_BYTES);
}

/* Bring the pages that are in the slot's memory together at its start. */
static void
gather_read (const struct pack *pack, struct window *window)
{
  const struct file_header *header = pack->encoding.header;
  uint64_t count = header->chunk_bytes / PAGE_BYTES;
  uint64_t first = bitmap_next_set (window->map, 0, count), end;

  for (; first < count; first = bitmap_next_set (window->map, end, count)) {
    end = bitmap_next_clear (window->map, first, count);
    clear_absent (pack, window, window->pages + first * PAGE_BYTES, first,
                  end);
  }
  window_gather (window, header);
}

/* Bring the pages that are still in the page cache together in PAGES. */
static int
gather_cached (const struct pack *pack, struct slot *slot, uint8_t *pages)
{
  const struct file_header *header = pack->encoding.header;
  struct window *window = &slot->window;
  uint64_t start = window->number * header->chunk_bytes;
  uint64_t count = header->chunk_bytes / PAGE_BYTES;
  uint64_t first = bitmap_next_set (window->map, 0, count), end;
  uint8_t *to = pages;

  for (; first < count; first = bitmap_next_set (window->map, end, count)) {
    end = bitmap_next_clear (window->map, first, count);
    if (page_cache_read (slot->cache, start + first * PAGE_BYTES, to,
                         (size_t) (end - first) * PAGE_BYTES,
                         &slot->error) < 0)
      return -1;
    clear_absent (pack, window, to, first, end);
    to = window_gather_run (window, header, to, first, end, to);
  }
  window->pages = pages;
  window->page_count = (uint32_t) ((size_t) (to - pages) / PAGE_BYTES);
  return 0;
}

static void
work (void *opaque, struct slot *slot)
{
  struct pack_worker *worker = opaque;
  const struct pack *pack = worker->pack;

  if (slot->error.kind != ERROR_NONE)
    return;
  if (pack->automatic != NULL)
    encoder_set_level (worker->encoder, auto_level_now (pack->automatic));
  if (slot->cache == NULL)
    gather_read (pack, &slot->window);
  else if (gather_cached (pack, slot, encoder_pages (worker->encoder)) < 0)
    return;
  encode_window (worker->encoder, &slot->window, slot->packed, &slot->error);
}

struct job
pack_job (struct pack *pack)
{
  return (struct job) {
    .opaque = pack,
    .raw_bytes = pack->encoding.header->chunk_bytes,
    .packed_bytes = encoding_room (&pack->encoding),
    .open = worker_open,
    .close = worker_close,
    .work = work,
    .codec = pack->encoding.header->codec,
  };
}
