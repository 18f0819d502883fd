/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a mount is doing, for those who ask. */

#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mount/packing.h"
#include "mount/status.h"
#include "mount/writing_private.h"
#include "util/json.h"

/* Under the lock of the windows. */
static void
describe_writing (struct json *object, const struct writing *writing)
{
  json_open_object (object, NULL);
  json_add_string (object, "name", writing->name);
  json_add_number (object, "size", writing->size);
  json_add_number (object, "image_size", writing->end);
  json_add_number (object, "windows_in_memory", writing->promised);
  json_add_number (object, "records_packed", writing->records_packed);
  json_add_number (object, "records_stored", writing->records_stored);
  json_add_number (object, "records_again", writing->records_again);
  json_add_boolean (object, "finished", writing->finished);
  if (writing->error == 0)
    json_add_null (object, "error");
  else
    json_add_string (object, "error", strerrordesc_np (writing->error));
  json_close (object);
}

static void
add_windows (struct json *status, struct windows *windows)
{
  const struct writing *writing;
  const struct held *held;
  uint64_t free = 0, waiting = 0;

  pthread_mutex_lock (&windows->lock);
  json_open_array (status, "writing");
  LIST_FOREACH (writing, &windows->writings, link)
    describe_writing (status, writing);
  json_close (status);
  TAILQ_FOREACH (held, &windows->free, link)
    free++;
  TAILQ_FOREACH (held, &windows->waiting, link)
    waiting++;
  json_add_number (status, "windows", windows->count);
  json_add_number (status, "windows_free", free);
  json_add_number (status, "windows_waiting", waiting);
  json_add_number (status, "threads", windows->threads);
  json_add_number (status, "files_finished", windows->files_finished);
  json_add_number (status, "records_packed", windows->records_packed);
  json_add_number (status, "records_stored", windows->records_stored);
  json_add_number (status, "records_again", windows->records_again);
  pthread_mutex_unlock (&windows->lock);
}

static void
add_name (void *opaque, const char *name)
{
  json_add_string (opaque, NULL, name);
}

static void
add_packing (struct json *status, struct packing *packing)
{
  struct packing_state state;

  packing_describe (packing, &state);
  if (state.name[0] == '\0')
    json_add_null (status, "packing");
  else {
    json_open_object (status, "packing");
    json_add_string (status, "name", state.name);
    json_add_number (status, "size", state.bytes);
    json_add_number (status, "done", state.done_bytes);
    json_close (status);
  }
  json_open_array (status, "to_pack");
  packing_list (packing, add_name, status);
  json_close (status);
  json_add_boolean (status, "store_looked_at", state.looked);
  json_add_number (status, "files_to_pack", state.waiting);
  json_add_number (status, "files_repacked", state.files_packed);
  json_add_number (status, "files_given_up", state.files_given_up);
  json_add_number (status, "files_left", state.files_left);
  json_add_number (status, "bytes_before_repacking", state.bytes_before);
  json_add_number (status, "bytes_after_repacking", state.bytes_after);
}

static void
add_status (struct json *status, const struct mounting *mounting)
{
  unsigned int count;
  uint64_t memory, reads;

  json_add_string (status, "version", PACKAGE_VERSION);
  json_add_string (status, "codec", mounting->header.codec);
  json_add_number (status, "chunk_size", mounting->header.chunk_bytes);
  add_windows (status, mounting->windows);
  add_packing (status, mounting->packing);
  views_describe (mounting->views, &count, &memory, &reads);
  json_add_number (status, "images_in_cache", count);
  json_add_number (status, "cache_size", memory);
  json_add_number (status, "image_reads", reads);
}

char *
status_text (const struct mounting *mounting)
{
  char *text = NULL;
  size_t size;
  FILE *stream = open_memstream (&text, &size);
  struct json status;
  bool whole;

  if (stream == NULL)
    return NULL;
  json_begin (&status, stream);
  add_status (&status, mounting);
  json_end (&status);
  whole = !ferror (stream);
  if (fclose (stream) == 0 && whole)
    return text;
  free (text);
  return NULL;
}
