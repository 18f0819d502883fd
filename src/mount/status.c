/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a mount is doing, for those who ask. */

#include <config.h>

#include <json-c/json.h>
#include <string.h>

#include "mount/packing.h"
#include "mount/status.h"
#include "mount/writing_private.h"

static void
add_number (struct json_object *object, const char *name, uint64_t value)
{
  json_object_object_add (object, name, json_object_new_uint64 (value));
}

/* Under the lock of the windows. */
static struct json_object *
describe_writing (const struct writing *writing)
{
  struct json_object *object = json_object_new_object ();

  json_object_object_add (object, "name",
                          json_object_new_string (writing->name));
  add_number (object, "size", writing->size);
  add_number (object, "image_size", writing->end);
  add_number (object, "windows_in_memory", writing->promised);
  add_number (object, "records_packed", writing->records_packed);
  add_number (object, "records_stored", writing->records_stored);
  add_number (object, "records_again", writing->records_again);
  json_object_object_add (object, "finished",
                          json_object_new_boolean (writing->finished));
  json_object_object_add (object, "error", writing->error == 0 ? NULL
                          : json_object_new_string (
                              strerrordesc_np (writing->error)));
  return object;
}

static void
add_windows (struct json_object *status, struct windows *windows)
{
  struct json_object *writings = json_object_new_array ();
  const struct writing *writing;
  const struct held *held;
  uint64_t free = 0, waiting = 0;

  pthread_mutex_lock (&windows->lock);
  LIST_FOREACH (writing, &windows->writings, link)
    json_object_array_add (writings, describe_writing (writing));
  TAILQ_FOREACH (held, &windows->free, link)
    free++;
  TAILQ_FOREACH (held, &windows->waiting, link)
    waiting++;
  json_object_object_add (status, "writing", writings);
  add_number (status, "windows", windows->count);
  add_number (status, "windows_free", free);
  add_number (status, "windows_waiting", waiting);
  add_number (status, "threads", windows->threads);
  add_number (status, "files_finished", windows->files_finished);
  add_number (status, "records_packed", windows->records_packed);
  add_number (status, "records_stored", windows->records_stored);
  add_number (status, "records_again", windows->records_again);
  pthread_mutex_unlock (&windows->lock);
}

static void
add_name (void *opaque, const char *name)
{
  json_object_array_add (opaque, json_object_new_string (name));
}

static void
add_packing (struct json_object *status, struct packing *packing)
{
  struct json_object *waiting = json_object_new_array ();
  struct json_object *now = NULL;
  struct packing_state state;

  packing_describe (packing, &state);
  if (state.name[0] != '\0') {
    now = json_object_new_object ();
    json_object_object_add (now, "name", json_object_new_string (state.name));
    add_number (now, "size", state.bytes);
    add_number (now, "done", state.done_bytes);
  }
  json_object_object_add (status, "packing", now);
  packing_list (packing, add_name, waiting);
  json_object_object_add (status, "to_pack", waiting);
  json_object_object_add (status, "store_looked_at",
                          json_object_new_boolean (state.looked));
  add_number (status, "files_to_pack", state.waiting);
  add_number (status, "files_repacked", state.files_packed);
  add_number (status, "files_given_up", state.files_given_up);
  add_number (status, "files_left", state.files_left);
  add_number (status, "bytes_before_repacking", state.bytes_before);
  add_number (status, "bytes_after_repacking", state.bytes_after);
}

char *
status_text (const struct mounting *mounting)
{
  struct json_object *status = json_object_new_object ();
  unsigned int count;
  uint64_t memory, reads;
  char *text;

  json_object_object_add (status, "version",
                          json_object_new_string (PACKAGE_VERSION));
  json_object_object_add (status, "codec",
                          json_object_new_string (mounting->header.codec));
  add_number (status, "chunk_size", mounting->header.chunk_bytes);
  add_windows (status, mounting->windows);
  add_packing (status, mounting->packing);
  views_describe (mounting->views, &count, &memory, &reads);
  add_number (status, "images_in_cache", count);
  add_number (status, "cache_size", memory);
  add_number (status, "image_reads", reads);
  text = strdup (json_object_to_json_string (status));
  json_object_put (status);
  return text;
}
