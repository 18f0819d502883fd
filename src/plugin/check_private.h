/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the conformance checks have in common.  All of this is for the child in
 * which a check runs; a check that fails ends it.
 */

#ifndef IOPRESS_PLUGIN_CHECK_PRIVATE_H
#define IOPRESS_PLUGIN_CHECK_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/loader.h"

#define CHECK_CHUNK ((size_t) 1 << 20)         /* the host's default */
#define CHECK_SMALL ((size_t) 64 << 10)        /* its least */
#define CHECK_LARGE ((size_t) 16 << 20)        /* its largest */

/* Shared with the parent. */
struct check_note {
  bool finished;               /* the child came to its end */
  bool inside;                 /* the last call of the plugin goes on */
  char call[160];
  char text[400];              /* what is wrong, or was measured */
};

/* Memory between pages that cannot be accessed. */
struct guarded {
  uint8_t *map;
  size_t bytes;                /* between the two pages */
  bool at_start;               /* buffers begin behind the first page, and do
                                * not end before the second */
};

/* A check that runs, or a thread of it. */
struct check_run {
  const struct codec *codec;
  const struct iopress_codec *ops;
  const char *reference_folder;
  struct check_note *note;
  bool beside;                 /* other threads call the plugin, too: all of
                                * them are one call, begun for all */
  struct guarded input, frame, output;
};

/* A frame that is kept. */
struct kept {
  uint8_t *bytes;
  size_t length;
};

/* What the input is like. */
enum content {
  CONTENT_ZEROS,
  CONTENT_RANDOM,
  CONTENT_TEXT,
  CONTENT_POINTERS,            /* of a kernel's structures */
  CONTENT_CODE,                /* of this program and its libraries */
  CONTENT_PAGES,               /* of a guest, or all of these by pages */
  CONTENT_KINDS,
  CONTENT_SPARSE = CONTENT_KINDS,      /* mostly empty, so quick to pack */
};

/* check_outcome.c.  The check is over: it fails, or has nothing to look at.
 * Any thread.
 */
void check_fail (struct check_run *run, const char *format, ...)
  __attribute__ ((noreturn, format (printf, 2, 3)));
void check_skip (struct check_run *run, const char *format, ...)
  __attribute__ ((noreturn, format (printf, 2, 3)));

/* Say what was measured. */
void check_measured (struct check_run *run, const char *format, ...)
  __attribute__ ((format (printf, 2, 3)));

/* Do WORK in a process of its own, with what RUN has now.  The check ends as
 * that does, unless that comes to its end.
 */
void check_apart (struct check_run *run,
                  void (*work) (struct check_run *run, void *opaque),
                  void *opaque);

/* Exit statuses of the child. */
#define CHECK_EXIT_FAILS 1
#define CHECK_EXIT_SKIPPED 2

/* check_content.c */
const char *content_name (enum content content);
void content_fill (enum content content, uint64_t seed, uint8_t *bytes,
                   size_t length);
/* From now on the LENGTH bytes at PAGES are CONTENT_PAGES; they stay there. */
void content_use_pages (const uint8_t *pages, size_t length);
/* The next number after *STATE, which may begin as any. */
uint64_t random_next (uint64_t *state);

/* check_buffer.c.  The buffers of RUN are for inputs up to CHUNK; at its end
 * the child ends, too, so only threads close them.
 */
void check_buffers_open (struct check_run *run, size_t chunk);
void check_buffers_close (struct check_run *run);
/* Where LENGTH bytes end before the page behind them, or begin behind the page
 * before them.  Bytes on the other side get a pattern, which guarded_is_intact
 * looks for.
 */
uint8_t *guarded_place (const struct guarded *guarded, size_t length);
bool guarded_is_intact (const struct guarded *guarded, size_t length);
/* Every page of it gets its memory. */
void guarded_fill (const struct guarded *guarded);
void guarded_protect (const struct guarded *guarded, bool protect);

/* check_call.c: calls of the plugin that are watched.  LEVEL is that of
 * CONTEXT, to tell what happened.
 */
struct iopress_codec_context *
check_open (struct check_run *run, int level, const char *parameters,
            size_t chunk);
void check_close (struct check_run *run,
                  struct iopress_codec_context *context);
/* The LENGTH bytes of CONTENT become the input of RUN. */
void check_input (struct check_run *run, enum content content, uint64_t seed,
                  size_t length);
/* Compress the LENGTH bytes of input into ROOM bytes.  Returns what the plugin
 * did, which is a length up to ROOM, or one of both errors.
 */
size_t check_compress (struct check_run *run,
                       struct iopress_codec_context *context, size_t length,
                       size_t room);
/* The same with room enough: anything but a frame fails.  It is kept if KEPT is
 * not NULL, to be freed with check_release.
 */
void check_frame (struct check_run *run,
                  struct iopress_codec_context *context, size_t length,
                  struct kept *kept);
void check_release (struct kept *kept);
bool kept_same (const struct kept *a, const struct kept *b);
/* Decompress a frame to LENGTH bytes in the output of RUN.  Returns LENGTH or
 * IOPRESS_CODEC_ERROR; anything else fails.
 */
size_t check_decompress (struct check_run *run,
                         struct iopress_codec_context *context,
                         const void *frame, size_t frame_length,
                         size_t length);
/* The frame must give back the LENGTH bytes of input. */
void check_gives_back (struct check_run *run,
                       struct iopress_codec_context *context,
                       const struct kept *kept, size_t length);
/* What the plugin says of the last failure of CONTEXT, to be shown. */
const char *check_reason (struct check_run *run,
                          struct iopress_codec_context *context);

/* The functions without a context.  A version that cannot be shown fails. */
const char *check_version (struct check_run *run);
size_t check_bound (struct check_run *run, size_t length);
bool check_knows (struct check_run *run, const void *bytes, size_t length);
void check_set_level (struct check_run *run,
                      struct iopress_codec_context *context, int level);

/* What functions that have returned have left on the stack is gone; other bytes
 * stand there each time.
 */
void check_clobber_stack (void);

/* A call of the plugin begins, which is named for the report and may take the
 * time that LENGTH bytes of input may; and ends.
 */
void check_begin (struct check_run *run, size_t length,
                  const char *format, ...)
  __attribute__ ((format (printf, 3, 4)));
void check_end (struct check_run *run);

/* Bytes in use of what malloc gave, or 0 where the C library does not tell;
 * and bytes of the mappings of this process that are not malloc's.
 */
size_t check_memory_used (void);
size_t check_memory_mapped (void);

/* Before the plugin is loaded: what check_process compares with. */
void check_process_remember (void);

/* The levels that are tried: all, or 32 that are far apart.  INDEX counts
 * from 0; returns false behind the last one.
 */
bool check_level (const struct iopress_codec *ops, unsigned int index,
                  int *level);

/* The same of texts of described parameters: each flag and word, and both ends
 * of each range.
 */
#define CHECK_TEXT_BYTES 256
bool check_text (const struct iopress_codec *ops, unsigned int index,
                 char text[CHECK_TEXT_BYTES]);

/* check_process.c.  One life of a context, with all that can come to pass in it
 * and all that can be asked of the plugin; NUMBER chooses input, level and
 * parameters.  The other is a part of a longer life.  RUN has buffers for
 * CHECK_SMALL.
 */
void check_live (struct check_run *run, unsigned int number);
void check_live_on (struct check_run *run,
                    struct iopress_codec_context *context,
                    unsigned int number, const char *parameters);

/* The checks, in the files of these names or as in check.c. */
void check_values (struct check_run *run);
void check_parameters (struct check_run *run);
void check_is_frame (struct check_run *run);
void check_round_trips (struct check_run *run);
void check_levels (struct check_run *run);
void check_large (struct check_run *run);
void check_exact_room (struct check_run *run);
void check_no_room (struct check_run *run);
void check_incompressible (struct check_run *run);
void check_repeats (struct check_run *run);
void check_contexts (struct check_run *run);
void check_threads (struct check_run *run);
void check_confined (struct check_run *run);
void check_levels_set (struct check_run *run);
void check_errors (struct check_run *run);
void check_truncated (struct check_run *run);
void check_lengths (struct check_run *run);
void check_damaged (struct check_run *run);
void check_garbage (struct check_run *run);
void check_leaks (struct check_run *run);
void check_process (struct check_run *run);
void check_memory (struct check_run *run);
void check_speed (struct check_run *run);

#endif /* IOPRESS_PLUGIN_CHECK_PRIVATE_H */
