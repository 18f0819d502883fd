/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Progress: a bar for people, JSON lines for programs. */

#include <config.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/json.h"
#include "cmd/progress.h"
#include "util/bytes.h"
#include "util/clock.h"
#include "util/size.h"

/* Seconds between two reports. */
#define INTERVAL 0.25

#define BAR_WIDTH 30

struct progress {
  const char *verb;
  bool bar;
  int fd;
  uint64_t total;              /* bytes */
  uint64_t position;           /* bytes of source behind us */
  uint64_t used;               /* bytes of windows used up */
  uint32_t chunk_bytes;
  double started, reported;    /* seconds of the monotonic clock */
};

static void
show_bar (const struct progress *progress, double seconds)
{
  double part = progress->total > 0
    ? (double) progress->position / (double) progress->total : 1;
  double rate = seconds > 0 ? (double) progress->used / seconds : 0;
  int filled = (int) (part * BAR_WIDTH);
  char bar[BAR_WIDTH + 1], text[SIZE_TEXT_BYTES];

  memset (bar, '#', (size_t) filled);
  memset (bar + filled, '.', (size_t) (BAR_WIDTH - filled));
  bar[BAR_WIDTH] = '\0';
  fprintf (stderr, "\r%s [%s] %3.0f%%  %s/s", progress->verb, bar, part * 100,
           size_format ((uint64_t) rate, text));
  if (part > 0 && part < 1)
    fprintf (stderr, "  %.0f s left ", seconds * (1 - part) / part);
  fprintf (stderr, "\033[K");
}

/* One line for the program that listens.  One that does not read loses lines;
 * it must not stop us.
 */
static void
send_line (const struct progress *progress, double seconds,
           const char *state)
{
  struct json_object *line = json_object_new_object ();
  struct pollfd ready = { .fd = progress->fd, .events = POLLOUT };
  const char *text;
  char buffer[512];
  int length;

  json_add_string (line, "verb", progress->verb);
  json_add_string (line, "state", state);
  json_add_number (line, "position", progress->position);
  json_add_number (line, "total", progress->total);
  json_add_number (line, "data", progress->used);
  json_add_real (line, "seconds", seconds);
  text = json_object_to_json_string_ext (line, JSON_C_TO_STRING_PLAIN);
  length = snprintf (buffer, sizeof buffer, "%s\n", text);
  json_object_put (line);
  if (length > 0 && (size_t) length < sizeof buffer &&
      poll (&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0 &&
      write (progress->fd, buffer, (size_t) length) < 0)
    return;
}

static void
report (struct progress *progress, const char *state)
{
  double seconds = clock_seconds (CLOCK_MONOTONIC) - progress->started;

  if (progress->bar)
    show_bar (progress, seconds);
  if (progress->fd >= 0)
    send_line (progress, seconds, state);
}

/* The window just used up; OPAQUE is the struct progress. */
static void
report_window (void *opaque, uint64_t window)
{
  struct progress *progress = opaque;

  progress->position = minimum_u64 ((window + 1) * progress->chunk_bytes,
                                    progress->total);
  progress->used += progress->chunk_bytes;
  if (clock_seconds (CLOCK_MONOTONIC) - progress->reported < INTERVAL)
    return;
  progress->reported = clock_seconds (CLOCK_MONOTONIC);
  report (progress, "running");
}

struct progress *
progress_begin (const struct common_options *options, const char *verb,
                uint64_t total, uint32_t chunk_bytes,
                struct run_options *run)
{
  bool bar = !options->quiet && options->progress != PROGRESS_NONE &&
    (options->progress == PROGRESS_BAR || isatty (STDERR_FILENO));
  struct progress *progress;

  if (!bar && options->progress_fd < 0)
    return NULL;
  progress = calloc (1, sizeof *progress);
  if (progress == NULL)
    return NULL;
  progress->verb = verb;
  progress->bar = bar;
  progress->fd = options->progress_fd;
  progress->total = total;
  progress->chunk_bytes = chunk_bytes;
  progress->started = progress->reported = clock_seconds (CLOCK_MONOTONIC);
  run->progress = report_window;
  run->progress_opaque = progress;
  return progress;
}

void
progress_end (struct progress *progress, bool succeeded)
{
  if (progress == NULL)
    return;
  if (succeeded)
    progress->position = progress->total;
  report (progress, succeeded ? "done" : "failed");
  if (progress->bar)
    fprintf (stderr, "\n");
  free (progress);
}
