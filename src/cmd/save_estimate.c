/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress save --estimate: what a save would give, from a sample. */

#include <config.h>

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "cmd/save.h"
#include "cmd/say.h"
#include "io/free_space.h"
#include "pipeline/estimate.h"
#include "util/cleanup.h"
#include "util/json.h"
#include "util/size.h"

/* What the writer and the slots may add to a batch, in bytes. */
#define IN_FLIGHT_BYTES (16u << 20)

/* What there is for the output. */
struct room {
  bool known;
  struct free_space free;
  bool shared;                 /* source and output are on the same disk */
};

static int
find_room (const struct save *save, struct room *room, struct error *err)
{
  CLEANUP_FREE char *path = NULL;
  struct statvfs source;

  *room = (struct room) {
    .known = save->options->output_name != NULL &&
      strcmp (save->options->output_name, "-") != 0 &&
      file_descriptor_of (save->options->output_name) < 0,
  };
  if (!room->known)
    return 0;
  path = strdup (save->options->output_name);
  if (path == NULL || free_space_find (dirname (path), &room->free) < 0)
    return error_about (err, ERROR_FAILED, errno, save->options->output_name,
                        "cannot find out how much is free");
  room->shared = fstatvfs (save->source.fd, &source) == 0 &&
    source.f_fsid == room->free.file_system;
  return 0;
}

/* Bytes needed beside the source: all of the image, or with --discard on one
 * disk what is held twice.
 */
static uint64_t
extra_bytes (const struct save *save, const struct estimate *estimate,
             const struct room *room)
{
  uint64_t image = (uint64_t) estimate->image_bytes.high;

  if (!save->options->discard || (room->known && !room->shared))
    return image;
  return minimum_u64 (image, save->options->batch_bytes + IN_FLIGHT_BYTES);
}

static void
print_text (const struct save *save, const struct estimate *estimate,
            const struct room *room)
{
  char value[SIZE_TEXT_BYTES], low[SIZE_TEXT_BYTES], high[SIZE_TEXT_BYTES];
  const struct prediction *size = &estimate->image_bytes;
  uint64_t extra = extra_bytes (save, estimate, room);

  printf ("sampled     %llu of %llu windows that hold data\n",
          (unsigned long long) estimate->sampled,
          (unsigned long long) estimate->windows);
  printf ("image       %s (%s to %s)\n",
          size_format ((uint64_t) size->value, value),
          size_format ((uint64_t) size->low, low),
          size_format ((uint64_t) size->high, high));
  printf ("time        %.1f s (%.1f to %.1f s)\n", estimate->seconds.value,
          estimate->seconds.low, estimate->seconds.high);
  printf ("peak extra  %s\n", size_format (extra, value));
  if (room->known)
    printf ("free        %s%s: it %s\n", size_format (room->free.bytes, value),
            room->free.by_quota ? " by quota" : "",
            extra <= room->free.bytes ? "fits" : "does not fit");
}

static void
add_sizes (struct json *report, const char *name,
           const struct prediction *bytes)
{
  json_open_object (report, name);
  json_add_number (report, "value", (uint64_t) bytes->value);
  json_add_number (report, "low", (uint64_t) bytes->low);
  json_add_number (report, "high", (uint64_t) bytes->high);
  json_close (report);
}

static void
add_times (struct json *report, const char *name,
           const struct prediction *seconds)
{
  json_open_object (report, name);
  json_add_real (report, "value", seconds->value);
  json_add_real (report, "low", seconds->low);
  json_add_real (report, "high", seconds->high);
  json_close (report);
}

static void
print_json (const struct save *save, const struct estimate *estimate,
            const struct room *room)
{
  uint64_t extra = extra_bytes (save, estimate, room);
  struct json report;

  json_begin (&report, stdout);
  json_add_number (&report, "windows", estimate->windows);
  json_add_number (&report, "sampled", estimate->sampled);
  json_add_number (&report, "read_size", estimate->read_bytes);
  add_sizes (&report, "image_size", &estimate->image_bytes);
  add_times (&report, "seconds", &estimate->seconds);
  json_add_number (&report, "peak_extra_size", extra);
  if (room->known) {
    json_add_number (&report, "available_size", room->free.bytes);
    json_add_boolean (&report, "fits", extra <= room->free.bytes);
  }
  json_end (&report);
}

static int
estimate (struct save *save, struct error *err)
{
  struct run_options options = run_options_of (&save->options->common);
  struct pack pack = {
    .encoding = {
      .header = &save->header,
      .codec = save->codec,
      .verify = save->options->discard && !save->options->no_verify,
    },
    .ram = save->options->exact ? NULL : save->layout.ram,
  };
  struct intake_need need;
  struct estimate estimate;
  struct room room;

  if (intake_need_find (&save->source, save->layout.ram, save->options->exact,
                        false, &need, err) < 0 ||
      estimate_run (&save->source, &need,
                    &pack, &options, &estimate, err) < 0 ||
      find_room (save, &room, err) < 0)
    return -1;
  if (save->options->json)
    print_json (save, &estimate, &room);
  else
    print_text (save, &estimate, &room);
  return 0;
}

int
save_estimate (const struct save_options *options, struct error *err)
{
  struct save save = { .options = options, SAVE_CLOSED };
  int result = -1;

  if (save_open_source (&save, err) == 0 &&
      save_begin_image (&save, err) == 0 &&
      confine_to (&options->common, save_privileges (options), &save.source,
                  LANDLOCK_READ, NULL, err) == 0)
    result = estimate (&save, err);
  save_close (&save);
  return result;
}
