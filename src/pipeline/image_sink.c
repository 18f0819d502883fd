/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writer of save: records, then index and footer, make an image. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "pipeline/image_sink.h"
#include "util/checksum.h"
#include "util/cleanup.h"

#define PREFIX_PART_BYTES (64u << 10)

struct image_sink {
  struct file *output;
  const struct file_header *header;
  const struct image_follower *follower;       /* or NULL */
  struct writer *writer;
  /* Encoded index entries.  Address space for one entry a window, used page
   * by page, so that no record can fail for want of memory.
   */
  uint8_t *entries;
  size_t entries_room;
  struct footer footer;        /* its totals grow with each record */
  struct footer *footer_out;
  uint64_t *image_bytes_out;
};

static int
reserve_entries (struct image_sink *sink, struct error *err)
{
  uint64_t windows = window_count (sink->header->source_bytes,
                                   sink->header->chunk_bytes);

  /* source_bytes < 2^63 and chunks of at least 2^16: no overflow. */
  sink->entries_room = (size_t) (windows + 1) * INDEX_ENTRY_BYTES;
  sink->entries = mmap (NULL, sink->entries_room, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (sink->entries == MAP_FAILED) {
    sink->entries = NULL;
    return error_set (err, ERROR_FAILED, errno,
                      "cannot reserve memory for the index");
  }
  return 0;
}

/* Everything before the first record. */
static int
write_head (struct image_sink *sink, const struct file *source,
            struct error *err)
{
  CLEANUP_FREE uint8_t *part = malloc (PREFIX_PART_BYTES);
  const struct file_header *header = sink->header;
  uint8_t bytes[FILE_HEADER_BYTES];
  uint64_t offset = 0;

  if (part == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot copy the prefix");
  while (offset < header->prefix_bytes) {
    size_t length = (size_t) minimum_u64 (PREFIX_PART_BYTES,
                                          header->prefix_bytes - offset);

    if (file_read_at (source, offset, part, length, err) < 0 ||
        writer_append (sink->writer, part, length, err) < 0)
      return -1;
    offset += length;
  }
  file_header_encode (header, bytes);
  if (writer_append (sink->writer, bytes, sizeof bytes, err) < 0)
    return -1;
  return writer_append_zeros (sink->writer, records_start (header) -
                              writer_offset (sink->writer), err);
}

static void
add_entry (struct image_sink *sink, const struct index_entry *entry)
{
  index_entry_encode (entry, sink->entries +
                      sink->footer.record_count * INDEX_ENTRY_BYTES);
  footer_count (&sink->footer, entry, sink->header->chunk_bytes);
}

/* Go on after the records that are there. */
static int
take_up (struct image_sink *sink, const struct image_sink_options *options,
         struct error *err)
{
  const struct image *resumed = options->resumed;
  uint64_t i;

  for (i = 0; i < resumed->footer.record_count; i++)
    add_entry (sink, &resumed->entries[i]);
  return writer_open (options->output, resumed->bytes, &sink->writer, err);
}

/* Make durable what has been appended: whoever finds a footer, or no head,
 * knows then what that says of the rest (image_sink.h).
 */
static int
settle (struct image_sink *sink, struct error *err)
{
  if (sink->output->stream)
    return 0;
  if (writer_settle (sink->writer, err) < 0)
    return -1;
  return sink->follower != NULL
    ? sink->follower->sync (sink->follower->opaque, err)
    : file_sync (sink->output, err);
}

static int
start_image (struct image_sink *sink,
             const struct image_sink_options *options, struct error *err)
{
  struct file *output = options->output;

  if (options->resumed != NULL)
    return take_up (sink, options, err);
  /* The new head must not come to stand before records of an older image. */
  if (output->size > 0 && file_sync (output, err) < 0)
    return -1;
  if (writer_open (output, 0, &sink->writer, err) < 0)
    return -1;
  return write_head (sink, options->source, err);
}

/* Leave it to a worker to copy the record. */
static int
reserve_record (struct image_sink *sink, struct slot *slot, struct error *err)
{
  return writer_reserve (sink->writer, slot->window.record_bytes, &slot->place,
                         err) < 0 ? -1 : SINK_DELIVER;
}

/* The way for --discard, which must know what has been written, and for records
 * that are too long.
 */
static int
append_record (struct image_sink *sink, const struct slot *slot,
               struct error *err)
{
  const struct window *window = &slot->window;
  uint64_t source_end;

  if (writer_append (sink->writer, window->record, window->record_bytes,
                     err) < 0)
    return -1;
  if (sink->follower == NULL)
    return SINK_DONE;
  source_end = minimum_u64 ((window->number + 1) * sink->header->chunk_bytes,
                            sink->header->source_bytes);
  return sink->follower->appended (sink->follower->opaque, sink->writer,
                                   source_end, window->header.raw_bytes,
                                   err) < 0 ? -1 : SINK_DONE;
}

static int
begin (void *opaque, struct slot *slot, struct error *err)
{
  struct image_sink *sink = opaque;
  const struct window *window = &slot->window;
  struct index_entry entry;
  int answer;

  if (window->record_bytes == 0)
    return SINK_DONE;
  entry = index_entry_of (&window->header, writer_offset (sink->writer));
  answer = sink->follower == NULL &&
    window->record_bytes <= WRITER_RESERVE_MAX
    ? reserve_record (sink, slot, err) : append_record (sink, slot, err);
  if (answer >= 0)
    add_entry (sink, &entry);
  return answer;
}

static bool
deliver (void *opaque, struct slot *slot)
{
  struct image_sink *sink = opaque;

  return writer_fill (sink->writer, &slot->place, slot->window.record);
}

static int
poll_writer (void *opaque, struct error *err)
{
  struct image_sink *sink = opaque;

  return writer_poll (sink->writer, err);
}

static void
wind_down (void *opaque)
{
  struct image_sink *sink = opaque;

  writer_wind_down (sink->writer);
}

static int
write_index (struct image_sink *sink, struct error *err)
{
  struct index_header index = {
    .entry_count = sink->footer.record_count,
  };
  size_t entries_bytes = sink->footer.record_count * INDEX_ENTRY_BYTES;
  uint8_t bytes[INDEX_HEADER_BYTES];

  memcpy (index.image_id, sink->header->image_id, IMAGE_ID_BYTES);
  index.entries_checksum = checksum (sink->entries, entries_bytes);
  index_header_encode (&index, bytes);
  if (writer_append (sink->writer, bytes, sizeof bytes, err) < 0)
    return -1;
  return writer_append (sink->writer, sink->entries, entries_bytes, err);
}

static int
complete (void *opaque, struct error *err)
{
  struct image_sink *sink = opaque;
  uint8_t bytes[FOOTER_BYTES];
  uint64_t end;

  sink->footer.index_offset = writer_offset (sink->writer);
  if (write_index (sink, err) < 0 || settle (sink, err) < 0)
    return -1;
  end = writer_offset (sink->writer);
  sink->footer.index_bytes = end - sink->footer.index_offset;
  footer_encode (&sink->footer, end, bytes);
  if (writer_append (sink->writer, bytes, sizeof bytes, err) < 0 ||
      writer_finish (sink->writer, err) < 0)
    return -1;
  *sink->footer_out = sink->footer;
  *sink->image_bytes_out = writer_offset (sink->writer);
  return 0;
}

static void
close_sink (void *opaque)
{
  struct image_sink *sink = opaque;

  writer_close (sink->writer);
  if (sink->entries != NULL)
    munmap (sink->entries, sink->entries_room);
  free (sink);
}

int
image_sink_open (const struct image_sink_options *options,
                 struct sink *sink_out, struct error *err)
{
  struct image_sink *sink = calloc (1, sizeof *sink);

  if (sink == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up writing");
  sink->output = options->output;
  sink->header = options->header;
  sink->follower = options->follower;
  sink->footer_out = options->footer;
  sink->image_bytes_out = options->image_bytes;
  memcpy (sink->footer.image_id, sink->header->image_id, IMAGE_ID_BYTES);
  if (reserve_entries (sink, err) < 0 ||
      start_image (sink, options, err) < 0 || settle (sink, err) < 0 ||
      (sink->follower == NULL && writer_sync_early (sink->writer, err) < 0)) {
    close_sink (sink);
    return -1;
  }
  *sink_out = (struct sink) {
    .opaque = sink,
    .begin = begin,
    .deliver = deliver,
    .poll = poll_writer,
    .wind_down = wind_down,
    .complete = complete,
    .close = close_sink,
  };
  return 0;
}
