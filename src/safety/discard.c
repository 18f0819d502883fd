/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the discard protocol does to the image and to the source. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/marker.h"
#include "safety/discard.h"
#include "util/bytes.h"

/* Larger punches disturb reads less often; this bounds how long one takes.
 * They end at multiples of it, so that no block is cut in two.
 */
#define PUNCH_BYTES (16u << 20)

/* No file system has larger blocks. */
#define PUNCH_END_BYTES (1u << 20)

struct discard {
  struct discard_options options;
  uint8_t *marker_page;        /* PAGE_BYTES, page aligned */
  struct file_state before;    /* of the source, when that page was read */
  uint64_t block_bytes;        /* what the source's file system frees at once */
  uint64_t punched;            /* source offset; everything before is gone */
  bool name_durable;
};

/* The marker takes the place of the first bytes of its page; the others are
 * written as they were, so that a write torn between two sectors leaves either
 * the page as it was or one with the marker.
 */
static int
read_marker_page (struct discard *discard, struct error *err)
{
  const struct file *source = discard->options.source;

  return file_read_at (source, 0, discard->marker_page,
                       (size_t) minimum_u64 (PAGE_BYTES, source->size), err);
}

/* Find out that blocks cannot be given back before anything is changed.  That
 * counts as a change on some file systems.
 */
static int
look_at_source (struct discard *discard, struct error *err)
{
  const struct discard_options *options = &discard->options;
  int possible;

  if (options->before != NULL &&
      file_check_state (options->source, options->before, err) < 0)
    return -1;
  possible = file_can_punch (options->source, err);
  if (possible == 0)
    error_about (err, ERROR_FAILED, EOPNOTSUPP, options->source->name,
                 "cannot give blocks back");
  if (possible <= 0)
    return error_hint (err, "its file system may not know how: save it without "
                       "--discard");
  if (file_note_state (options->source, &discard->before, err) < 0)
    return -1;
  return read_marker_page (discard, err);
}

int
discard_open (const struct discard_options *options,
              struct discard **discard_out, struct error *err)
{
  struct discard *discard = calloc (1, sizeof *discard);
  void *page = NULL;
  int result;

  if (discard == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up discarding");
  discard->options = *options;
  discard->block_bytes = file_block_bytes (options->source);
  result = posix_memalign (&page, PAGE_BYTES, PAGE_BYTES);
  if (result != 0) {
    discard_close (discard);
    return error_set (err, ERROR_FAILED, result, "cannot set up discarding");
  }
  discard->marker_page = memset (page, 0, PAGE_BYTES);
  if (look_at_source (discard, err) < 0) {
    discard_close (discard);
    return -1;
  }
  *discard_out = discard;
  return 0;
}

void
discard_close (struct discard *discard)
{
  if (discard == NULL)
    return;
  free (discard->marker_page);
  free (discard);
}

/* Invariant 1: all that was written to the image is durable, and its name. */
int
discard_sync_image (struct discard *discard, struct error *err)
{
  const struct discard_options *options = &discard->options;

  if (file_sync (options->output, err) < 0)
    return -1;
  if (!discard->name_durable && options->draft != NULL &&
      place_sync (&options->draft->place, err) < 0)
    return -1;
  discard->name_durable = true;
  return 0;
}

/* Invariant 2: a marker that says X stands durably in the source. */
static int
write_marker (struct discard *discard, uint64_t x, struct error *err)
{
  const struct file_header *header = discard->options.header;
  struct file *source = discard->options.source;
  struct marker marker = {
    .consumed_bytes = x,
    .source_bytes = header->source_bytes,
  };

  memcpy (marker.image_id, header->image_id, IMAGE_ID_BYTES);
  marker_encode (&marker, discard->marker_page);
  *discard->options.left = SOURCE_PARTLY_GONE;
  if (file_write_at (source, 0, discard->marker_page, PAGE_BYTES, err) < 0)
    return -1;
  return file_sync (source, err);
}

/* An image that is nowhere any more must not get the only copy.  It may well
 * have another name.
 */
static int
check_image (const struct discard *discard, struct error *err)
{
  const struct draft *draft = discard->options.draft;

  return draft == NULL ? 0 : draft_check_linked (draft, err);
}

/* Where the last punch ends: only a whole block is freed, so go past the end,
 * unless somebody has appended something.
 */
static uint64_t
end_of_punch (const struct discard *discard)
{
  uint64_t bytes = discard->options.header->source_bytes;
  struct error ignored = { 0 };
  struct file_state now;

  if (file_note_state (discard->options.source, &now, &ignored) < 0 ||
      (uint64_t) now.bytes > bytes)
    return bytes;
  return align_up (bytes, PUNCH_END_BYTES);
}

/* Punch the source up to X, or to the start of the block in which X lies, but
 * for the marker's page.
 */
static int
punch_to (struct discard *discard, uint64_t x, struct error *err)
{
  x = x == discard->options.header->source_bytes ? end_of_punch (discard)
    : align_down (x, discard->block_bytes);
  while (discard->punched < x) {
    uint64_t start = maximum_u64 (discard->punched, PAGE_BYTES);
    /* A hole is one piece, however large; it may hold blocks without data. */
    uint64_t data = file_next_data (discard->options.source, start);
    uint64_t end = minimum_u64 (maximum_u64 (align_down (start, PUNCH_BYTES)
                                             + PUNCH_BYTES, data), x);

    if (start < end && check_image (discard, err) < 0)
      return -1;
    if (start < end &&
        file_punch (discard->options.source, start, end - start, err) < 0)
      return -1;
    discard->punched = maximum_u64 (end, start);
  }
  return 0;
}

/* The last moment at which the source can be left as it is. */
int
discard_check_source (const struct discard *discard, struct error *err)
{
  const struct discard_options *options = &discard->options;

  if (*options->left == SOURCE_PARTLY_GONE || options->before == NULL)
    return 0;
  return file_check_state (options->source, &discard->before, err);
}

int
discard_up_to (struct discard *discard, uint64_t x, struct error *err)
{
  if (discard_sync_image (discard, err) < 0 ||
      check_image (discard, err) < 0 ||
      discard_check_source (discard, err) < 0 ||
      write_marker (discard, x, err) < 0)
    return -1;
  return punch_to (discard, x, err);
}

/* Invariant 3.  Whether the last punch is durable does not matter: a marker
 * that comes back says the truth.  It goes over all of the file: a block that
 * is larger than the file system said is whole in it.
 */
int
discard_finish (struct discard *discard, struct error *err)
{
  struct file *source = discard->options.source;
  uint64_t size = discard->options.header->source_bytes;

  if (size == 0)
    return 0;
  if (check_image (discard, err) < 0 ||
      discard_check_source (discard, err) < 0 ||
      (size > PAGE_BYTES && file_sync (source, err) < 0))
    return -1;
  *discard->options.left = SOURCE_PARTLY_GONE;
  return file_punch (source, 0, end_of_punch (discard), err);
}
