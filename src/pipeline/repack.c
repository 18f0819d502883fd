/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image becomes another image of the same source. */

#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/image_sink.h"
#include "pipeline/page_sink.h"
#include "pipeline/record_intake.h"
#include "pipeline/repack.h"
#include "pipeline/unpack.h"

/* What all workers share; read only while they run. */
struct repack_job {
  struct decoding decoding;
  struct encoding encoding;
  bool keep_frames;
  char codecs[2 * CODEC_NAME_BYTES + sizeof " or "];   /* for messages */
};

struct repack_worker {
  const struct repack_job *job;
  struct decoder *decoder;
  struct encoder *encoder;
};

void
repack_prepare (struct repack *repack)
{
  repack->header = repack->image->header;
  repack->header.major = FORMAT_MAJOR;
  repack->header.minor = FORMAT_MINOR;
  repack->header.incompatible &= ~FEATURE_UNORDERED;
  /* It has all there is. */
  repack->header.compatible &= ~FEATURE_DISCARD;
}

static void
worker_close (void *opaque)
{
  struct repack_worker *worker = opaque;

  decoder_close (worker->decoder);
  encoder_close (worker->encoder);
  free (worker);
}

static int
worker_open (void *opaque, void **worker_out, struct error *err)
{
  const struct repack_job *job = opaque;
  struct repack_worker *worker = calloc (1, sizeof *worker);

  if (worker == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot set up a worker");
  worker->job = job;
  if (decoder_open (&job->decoding, &worker->decoder, err) < 0 ||
      encoder_open (&job->encoding, &worker->encoder, err) < 0) {
    worker_close (worker);
    return -1;
  }
  *worker_out = worker;
  return 0;
}

/* Make the record of WINDOW, whose pages have just been checked, one of the new
 * image.
 */
static void
keep_frame (const struct file_header *header, struct window *window)
{
  struct record_header *record = &window->header;

  memcpy (record->image_id, header->image_id, IMAGE_ID_BYTES);
  record->source_bytes = header->source_bytes;
  record_header_encode (record, window->record);
}

static void
work (void *opaque, struct slot *slot)
{
  struct repack_worker *worker = opaque;
  const struct repack_job *job = worker->job;
  struct window *window = &slot->window;
  struct record_header old;

  unpack_slot (worker->decoder, slot);
  if (slot->error.kind != ERROR_NONE)
    return;
  old = window->header;
  if (job->keep_frames && (old.flags & RECORD_STORED) == 0) {
    keep_frame (job->encoding.header, window);
    return;
  }
  /* The old record is not needed any more: the new one takes its room. */
  if (encode_window (worker->encoder, window, slot->packed,
                     &slot->error) == 0 &&
      window->header.raw_checksum != old.raw_checksum)
    error_set (&slot->error, ERROR_FAILED, 0,
               "window %llu: its pages have changed in memory",
               (unsigned long long) window->number);
}

/* Whose code runs: what is stored needs none. */
static void
name_codecs (struct repack_job *job)
{
  const char *from = job->decoding.header->codec;
  const char *to = job->encoding.header->codec;
  bool both = strcmp (from, to) != 0 && job->decoding.codec != NULL &&
    job->encoding.codec != NULL;

  snprintf (job->codecs, sizeof job->codecs, "%s%s%s",
            job->decoding.codec != NULL ? from : to, both ? " or " : "",
            both ? to : "");
}

static struct job
make_job (struct repack_job *job)
{
  uint32_t chunk_bytes = job->encoding.header->chunk_bytes;

  name_codecs (job);
  return (struct job) {
    .opaque = job,
    .raw_bytes = chunk_bytes,
    .packed_bytes = (size_t) maximum_u64 (record_intake_room (chunk_bytes),
                                          encoding_room (&job->encoding)),
    .open = worker_open,
    .close = worker_close,
    .work = work,
    .codec = job->codecs,
  };
}

int
repack_run (const struct repack *repack, const struct run_options *options,
            struct footer *footer, uint64_t *image_bytes, struct error *err)
{
  struct repack_job what = {
    .decoding = {
      .header = &repack->image->header,
      .codec = repack->codec,
      .name = repack->image->file->name,
    },
    .encoding = {
      .header = &repack->header,
      .codec = repack->new_codec,
      .verify = true,
    },
    .keep_frames = repack->keep_frames,
  };
  const struct image_sink_options to = {
    .output = repack->output,
    .source = repack->image->file,
    .header = &repack->header,
    .footer = footer,
    .image_bytes = image_bytes,
  };
  struct job job = make_job (&what);
  struct sink sink = SINK_CLOSED;
  int result = image_sink_open (&to, &sink, err);

  if (result == 0)
    result = record_intake_run (repack->image, true, &job, &sink, options, err);
  sink_close (&sink);
  return result;
}

static int
differs (const struct image *image, struct error *err)
{
  return error_about (err, ERROR_FAILED, 0, image->file->name,
                      "is not what was written");
}

/* Whether the index of the new IMAGE names the windows and pages of the old
 * one.  What the pages are the records themselves say.
 */
static int
check_index (const struct repack *repack, const struct image *image,
             struct error *err)
{
  const struct image *old = repack->image;
  uint64_t i, count = old->footer.record_count;

  if (memcmp (image->header.image_id, repack->header.image_id,
              IMAGE_ID_BYTES) != 0 ||
      image->header.source_bytes != old->header.source_bytes ||
      image->footer.record_count != count)
    return differs (image, err);
  for (i = 0; i < count; i++)
    if (image->entries[i].window != old->entries[i].window ||
        image->entries[i].page_count != old->entries[i].page_count)
      return differs (image, err);
  return 0;
}

int
verify_records (struct image *image, const struct codec *codec,
                const struct run_options *options, struct error *err)
{
  const struct decoding decoding = {
    .header = &image->header,
    .codec = codec,
    .name = image->file->name,
  };
  struct job job = unpack_job (&decoding);
  struct sink sink = null_sink ();

  return record_intake_run (image, false, &job, &sink, options, err);
}

int
repack_verify (const struct repack *repack, const struct run_options *options,
               struct error *err)
{
  const struct file *output = repack->output;
  struct file file = FILE_CLOSED;
  struct image *image = NULL;
  int fd = file_open_reader (output, err);
  int result = -1;

  if (fd < 0)
    return -1;
  if (file_take_opened (fd, output->name, output->how, &file, err) == 0 &&
      image_open (&file, &image, err) == 0 &&
      image_load_index (image, err) == 0 &&
      check_index (repack, image, err) == 0)
    result = verify_records (image, repack->new_codec, options, err);
  image_close (image);
  file_close (&file);
  return result;
}
