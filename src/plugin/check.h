/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a codec plugin keeps what iopress-plugin.h asks for. */

#ifndef IOPRESS_PLUGIN_CHECK_H
#define IOPRESS_PLUGIN_CHECK_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

enum check_outcome {
  CHECK_HOLDS,
  CHECK_FAILS,
  CHECK_SKIPPED,               /* the plugin does not have what it is about */
};

/* What came of one check.  Valid during the report. */
struct check_result {
  const char *name;
  const char *meaning;         /* what holds when it does */
  enum check_outcome outcome;
  const char *text;            /* what is wrong, or was measured; may be "" */
};

struct plugin_check {
  const char *folder;          /* of the plugin, see codec_load */
  const char *name;
  const char *reference_folder;        /* of codecs to compare with, or NULL:
                                        * the compiled-in one */
  const char *only;            /* the one check to run, or NULL: all */
  uint8_t *pages;              /* of a guest, or NULL: made up; the caller's */
  size_t pages_bytes;          /* a multiple of 4096 */
  /* When it becomes non-zero the run ends with ERROR_CANCELLED. */
  const volatile sig_atomic_t *cancelled;
  void (*report) (void *opaque, const struct check_result *result);
  void *opaque;
};

/* How many checks there are. */
unsigned int plugin_check_count (void);

/* Run them, each in a child that is confined: no core, no files written, and
 * an end to time and memory.  No code of the plugin runs in this process,
 * which has one thread.  After the first, which loads it, has failed there
 * are no more. Returns how many failed, or -1 with ERR.
 */
int plugin_check_run (const struct plugin_check *check, struct error *err);

#endif /* IOPRESS_PLUGIN_CHECK_H */
