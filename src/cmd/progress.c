/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Progress: a bar for people, JSON lines for programs. */

#include <config.h>

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/progress.h"
#include "cmd/terminal.h"
#include "util/bytes.h"
#include "util/clock.h"
#include "util/size.h"

/* Seconds between two reports. */
#define INTERVAL 0.25

/* In characters. */
#define BAR_WIDTH_MIN 5u
#define BAR_WIDTH_MAX 30u
#define COLUMNS_DEFAULT 80u     /* where there is no terminal */

#define BAR_BYTES (BAR_WIDTH_MAX + sizeof " []")
#define LINE_BYTES 128u

struct progress {
  const char *verb;
  bool bar;
  int fd;
  uint64_t total;              /* bytes */
  uint64_t position;           /* bytes of source behind us */
  uint64_t used;               /* bytes of windows used up */
  uint32_t chunk_bytes;
  double started, reported;    /* seconds of the monotonic clock */
  size_t shown;                /* length of the bar's last line */
};

/* How long a line may be: the last column is left alone, where some terminals
 * wrap at once.
 */
static size_t
line_room (void)
{
  return terminal_columns (STDERR_FILENO, COLUMNS_DEFAULT) - 1;
}

/* For people: two digits do. */
static void
format_time_left (double seconds, char text[LINE_BYTES])
{
  if (seconds < 100)
    snprintf (text, LINE_BYTES, "  %.0f s left", seconds);
  else if (seconds < 100 * 60)
    snprintf (text, LINE_BYTES, "  %.0f min left", seconds / 60);
  else
    snprintf (text, LINE_BYTES, "  %.0f h left", seconds / 3600);
}

/* Append TEXT to LINE if it fits into ROOM columns with RESERVED ones free. */
static void
append_fitting (char line[LINE_BYTES], const char *text, size_t reserved,
                size_t room)
{
  size_t used = strlen (line);

  if (used + strlen (text) + reserved <= room)
    strcpy (line + used, text);
}

static void
draw_bar (char bar[BAR_BYTES], double part, size_t width)
{
  size_t filled = (size_t) (part * (double) width);

  if (width < BAR_WIDTH_MIN) {
    bar[0] = '\0';
    return;
  }
  memcpy (bar, " [", 2);
  memset (bar + 2, '#', filled);
  memset (bar + 2 + filled, '.', width - filled);
  strcpy (bar + 2 + width, "]");
}

/* What stands on the line, of which those at the end are the first to go when
 * ROOM is short; the bar gets what they leave.
 */
static void
compose_line (const struct progress *progress, double seconds, size_t room,
              char line[LINE_BYTES])
{
  double part = progress->total > 0
    ? (double) progress->position / (double) progress->total : 1;
  double rate = seconds > 0 ? (double) progress->used / seconds : 0;
  char numbers[LINE_BYTES] = "", text[LINE_BYTES], size[SIZE_TEXT_BYTES];
  char bar[BAR_BYTES];
  size_t verb = strlen (progress->verb), frame = strlen (" []");

  snprintf (numbers, sizeof numbers, " %3.0f%%", part * 100);
  snprintf (text, sizeof text, "  %s/s", size_format ((uint64_t) rate, size));
  append_fitting (numbers, text, verb + frame + BAR_WIDTH_MIN, room);
  if (part > 0 && part < 1) {
    format_time_left (seconds * (1 - part) / part, text);
    append_fitting (numbers, text, verb + frame + BAR_WIDTH_MIN, room);
  }
  verb += frame + strlen (numbers);
  draw_bar (bar, part, verb < room
            ? (size_t) minimum_u64 (room - verb, BAR_WIDTH_MAX) : 0);
  snprintf (line, minimum_u64 (room + 1, LINE_BYTES), "%s%s%s",
            progress->verb, bar, numbers);
}

/* Spaces take away what is left of a longer line, and the ^C that the terminal
 * shows for a key: not every terminal knows escape sequences.
 */
static void
show_bar (struct progress *progress, double seconds)
{
  char line[LINE_BYTES];
  size_t room = line_room (), length, rest;

  compose_line (progress, seconds, room, line);
  length = strlen (line);
  rest = (size_t) minimum_u64 (progress->shown + strlen ("^C"), room);
  fprintf (stderr, "\r%s%*s", line,
           (int) (rest > length ? rest - length : 0), "");
  progress->shown = length;
}

/* One line for the program that listens.  One that does not read loses lines;
 * it must not stop us.
 */
static void
send_line (const struct progress *progress, double seconds,
           const char *state)
{
  struct pollfd ready = { .fd = progress->fd, .events = POLLOUT };
  char buffer[512];
  int length;

  length = snprintf (buffer, sizeof buffer,
                     "{\"verb\":\"%s\",\"state\":\"%s\",\"position\":%" PRIu64
                     ",\"total\":%" PRIu64 ",\"data\":%" PRIu64
                     ",\"seconds\":%.17g}\n", progress->verb, state,
                     progress->position, progress->total, progress->used,
                     seconds);
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
                const struct file_header *header, struct run_options *run)
{
  bool bar = !options->quiet && options->progress != PROGRESS_NONE &&
    (options->progress == PROGRESS_BAR ||
     terminal_is_capable (STDERR_FILENO));
  struct progress *progress;

  if (!bar && options->progress_fd < 0)
    return NULL;
  progress = calloc (1, sizeof *progress);
  if (progress == NULL)
    return NULL;
  progress->verb = verb;
  progress->bar = bar;
  progress->fd = options->progress_fd;
  progress->total = header->source_bytes;
  progress->chunk_bytes = header->chunk_bytes;
  progress->started = progress->reported = clock_seconds (CLOCK_MONOTONIC);
  run->progress = report_window;
  run->progress_opaque = progress;
  return progress;
}

void
progress_end (struct progress **ended, bool succeeded)
{
  struct progress *progress = *ended;

  if (progress == NULL)
    return;
  *ended = NULL;
  if (succeeded)
    progress->position = progress->total;
  report (progress, succeeded ? "done" : "failed");
  if (progress->bar)
    fprintf (stderr, "\n");
  free (progress);
}
