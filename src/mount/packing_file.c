/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packing one file in the background. */

#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/free_space.h"
#include "mount/packed.h"
#include "mount/windows.h"
#include "util/clock.h"
#include "util/size.h"
#include "util/thread.h"

/* What is left to others of the free space. */
#define ROOM_SPARE (UINT64_C (64) << 20)

/* What of an image may be gaps where everything is to be done at once, and
 * nothing twice.
 */
#define GAPS_PART 64u

/* How long others must not have written, and how often to look. */
#define QUIET_NS UINT64_C (500000000)
#define QUIET_STEP_US 50000
#define PUT_STEP_US 200000

/* Whether another order makes the image smaller, or the codec, if it is to;
 * else an order that makes it much smaller.
 */
static bool
is_worth (const struct image *image, const struct codec *codec, bool pack)
{
  const struct file_header *header = &image->header;
  uint64_t used = records_start (header), i;
  bool stored = false;

  if (!is_unordered (header))
    return false;
  for (i = 0; i < image->footer.record_count; i++) {
    const struct index_entry *entry = &image->entries[i];

    used += align_up (entry->record_bytes, PAGE_BYTES);
    stored |= entry->record_bytes ==
      record_overhead_bytes (header->chunk_bytes) +
      (uint64_t) entry->page_count * PAGE_BYTES;
  }
  if (!pack)
    return used < image->footer.index_offset - image->bytes / GAPS_PART;
  return (stored && codec != NULL) || used < image->footer.index_offset;
}

/* Bytes that may be written beside the image without being in anybody's way. */
static uint64_t
find_room (const struct packed *packed)
{
  char path[NODE_PATH_BYTES];
  struct free_space space;

  descriptor_path (packed->place.folder, path);
  if (free_space_find (path, &space) < 0 || space.bytes < ROOM_SPARE)
    return 0;
  return space.bytes - ROOM_SPARE;
}

/* Whether somebody else wants something of the file, or of its name. */
static bool
is_wanted (const struct packed *packed)
{
  return mounted_is_disturbed (packed->node->file) ||
    !place_has (&packed->place, &packed->shown->file);
}

/* Let those go first who write: a disk does not know who is in no hurry. */
static void
wait_for_quiet (const struct packed *packed)
{
  const struct packing *packing = packed->packing;
  const struct windows *windows = packing->store->mounting->windows;

  while (!packing->stopping && !is_wanted (packed) &&
         windows_quiet_ns (windows) < QUIET_NS)
    usleep (QUIET_STEP_US);
}

/* After each window, in the thread that runs the pipeline. */
static void
watch (void *opaque, uint64_t window)
{
  struct packed *packed = opaque;

  atomic_store (&packed->packing->done_bytes,
                window * packed->repack.header.chunk_bytes);
  wait_for_quiet (packed);
  if (packed->packing->stopping || is_wanted (packed))
    packed->cancelled = ECANCELED;
  else if (find_room (packed) == 0)
    packed->cancelled = ENOSPC;
}

static void *
run (void *opaque)
{
  struct packed *packed = opaque;
  struct run_options options =
    packing_run_options (packed->packing, packed->repack.header.chunk_bytes);

  options.cancelled = &packed->cancelled;
  options.progress = watch;
  options.progress_opaque = packed;
  thread_give_way ();
  packed->result = repack_run (&packed->repack, &options, &packed->footer,
                               &packed->image_bytes, &packed->err);
  if (packed->result == 0)
    packed->result = file_sync (&packed->output, &packed->err);
  if (packed->result == 0)
    packed->result = repack_verify (&packed->repack, &options, &packed->err);
  return NULL;
}

/* In a thread that may be kept waiting: this one may have to hurry. */
static int
run_aside (struct packed *packed)
{
  pthread_t thread;
  int result = thread_start (&thread, run, packed);

  if (result != 0)
    return error_set (&packed->err, ERROR_FAILED, result,
                      "cannot start a thread");
  pthread_join (thread, NULL);
  return packed->result;
}

static bool
same_codec (const struct file_header *a, const struct file_header *b)
{
  return strcmp (a->codec, b->codec) == 0 && a->level == b->level &&
    strcmp (a->parameters, b->parameters) == 0;
}

static void
plan (struct packed *packed)
{
  const struct mounting *mounting = packed->packing->store->mounting;
  struct repack *repack = &packed->repack;

  repack->image = packed->shown->image;
  repack->codec = packed->shown->decoding.codec;
  repack->new_codec = mounting->codec;
  repack->output = &packed->output;
  repack_prepare (repack);
  packed_image_id (repack->image->header.image_id, repack->header.image_id);
  memcpy (repack->header.codec, mounting->header.codec,
          sizeof repack->header.codec);
  memcpy (repack->header.parameters, mounting->header.parameters,
          sizeof repack->header.parameters);
  repack->header.level = mounting->header.level;
  repack->keep_frames = same_codec (&repack->image->header, &repack->header);
}

/* Another iopress, which does not ask the mount, may have it. */
static int
lock_image (struct packed *packed)
{
  if (file_lock (&packed->shown->file, false, &packed->err) == 0)
    return 0;
  packed->cancelled = EBUSY;
  return -1;
}

/* Get a file for the new image, where there is room for it. */
static int
open_output (struct packed *packed)
{
  const struct file_how how = { .direct = DIRECT_IO_AUTO, .frugal = true };
  const struct store *store = packed->packing->store;
  struct error *err = &packed->err;
  struct stat now;

  if (store_find_place (store->root.fd, packed->node->fd, &packed->place,
                        err) < 0 ||
      draft_open_at (&packed->place, &packed->draft, err) < 0)
    return -1;
  if (is_wanted (packed)) {
    packed->cancelled = ECANCELED;
    return -1;
  }
  if (fstat (packed->shown->file.fd, &now) < 0)
    return error_set (err, ERROR_FAILED, errno, "cannot be examined");
  if (now.st_nlink > 1)
    return error_set (err, ERROR_FAILED, 0, "it has another name, too");
  if (find_room (packed) < (uint64_t) now.st_blocks * 512)
    return error_set (err, ERROR_FAILED, 0, "there is no room for both");
  packed->bytes_before = (uint64_t) now.st_blocks * 512;
  return draft_create_unnamed (&packed->draft, how, &packed->output, err);
}

/* Put it in its place, once nobody has the file open. */
static int
put_in_place (struct packed *packed)
{
  int result;

  while ((result = mounted_replace (packed->node->file, packed_put,
                                    packed)) == EBUSY) {
    if (packed->packing->stopping || is_wanted (packed))
      break;
    usleep (PUT_STEP_US);
  }
  if (packed->succeeding)
    store_end_succession (packed->packing->store, result == 0);
  if (result == EBUSY || result == ECANCELED)
    packed->cancelled = ECANCELED;
  return result != 0 ? -1 : 0;
}

static void
note_begun (struct packed *packed)
{
  struct packing *packing = packed->packing;

  atomic_store (&packing->done_bytes, 0);
  pthread_mutex_lock (&packing->lock);
  packing->state.bytes = packed->repack.header.source_bytes;
  pthread_mutex_unlock (&packing->lock);
}

/* Who expands a file knows the image that he put aside by its id. */
static int
look_for_aside (struct packed *packed)
{
  return shown_look_for_aside (packed->packing->store->root.fd,
                               packed->node->fd, &packed->useless,
                               &packed->err) < 0 || packed->useless ? -1 : 0;
}

static int
pack (struct packed *packed)
{
  const struct mounting *mounting = packed->packing->store->mounting;

  if (shown_open (mounting, packed->node->fd, &packed->shown,
                  &packed->err) < 0)
    return -1;
  if (!is_worth (packed->shown->image, mounting->codec,
                 packed->packing->options.stored)) {
    packed->useless = true;
    return -1;
  }
  if (look_for_aside (packed) < 0 || lock_image (packed) < 0 ||
      open_output (packed) < 0)
    return -1;
  plan (packed);
  note_begun (packed);
  return run_aside (packed) < 0 ? -1 : put_in_place (packed);
}

static void
say_done (struct packed *packed)
{
  struct packing *packing = packed->packing;
  char source[SIZE_TEXT_BYTES], before[SIZE_TEXT_BYTES];
  char after[SIZE_TEXT_BYTES], line[512];

  snprintf (line, sizeof line, "%s: %s in %s, packed in the background from "
            "%s, %.1f s", packed->name,
            size_format (packed->repack.header.source_bytes, source),
            size_format (packed->image_bytes, after),
            size_format (packed->bytes_before, before),
            (double) (clock_nanoseconds (CLOCK_MONOTONIC) -
                      packed->begun_ns) * 1e-9);
  packing->store->mounting->say (SAY_NOTE, line);
  pthread_mutex_lock (&packing->lock);
  packing->state.bytes_before += packed->bytes_before;
  packing->state.bytes_after += packed->image_bytes;
  pthread_mutex_unlock (&packing->lock);
}

/* What is to become of a file that was not packed; says why unless others just
 * use it.
 */
static enum packing_outcome
judge_failure (struct packed *packed)
{
  const struct mounting *mounting = packed->packing->store->mounting;
  struct stat now;

  if (packed->useless ||
      (fstat (packed->node->fd, &now) == 0 && now.st_nlink == 0))
    return PACKING_USELESS;
  if (packed->cancelled == ECANCELED || packed->cancelled == EBUSY)
    return PACKING_LATER;
  if (packed->cancelled == ENOSPC)
    packed->err = (struct error) {
      .kind = ERROR_FAILED, .what = "there is no room for both any more",
    };
  error_context (&packed->err, "is left as it is");
  error_subject (&packed->err, packed->name);
  mounting_say_error (mounting, &packed->err);
  return PACKING_LEFT;
}

enum packing_outcome
pack_file (struct packing *packing, struct node *node)
{
  struct mounting *mounting = packing->store->mounting;
  struct packed packed = {
    .packing = packing,
    .node = node,
    .place = PLACE_CLOSED,
    .draft = DRAFT_CLOSED,
    .output = FILE_CLOSED,
    .begun_ns = clock_nanoseconds (CLOCK_MONOTONIC),
  };
  enum packing_outcome outcome = PACKING_DONE;

  descriptor_name (node->fd, packed.name, sizeof packed.name);
  if (mounted_watch (node->file) != 0)
    return PACKING_LATER;
  if (pack (&packed) == 0)
    say_done (&packed);
  else
    outcome = judge_failure (&packed);
  draft_drop (&packed.draft);
  draft_close (&packed.draft);
  place_close (&packed.place);
  file_close (&packed.output);
  shown_close (mounting, packed.shown);
  return outcome;
}
