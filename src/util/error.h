/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One error on its way up: what failed, on what, why, and what to do. */

#ifndef IOPRESS_UTIL_ERROR_H
#define IOPRESS_UTIL_ERROR_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* What kind of failure it is.  src/cmd turns the kind into the exit status
 * of the same number (docs/iopress.1, EXIT STATUS).
 */
enum error_kind {
  ERROR_NONE = 0,
  ERROR_FAILED = 1,      /* the operation failed, the source is whole */
  ERROR_USAGE = 2,       /* the caller asked for something impossible */
  ERROR_BAD_INPUT = 3,   /* not an image, or incomplete, or damaged */
  ERROR_CONSUMED = 4,    /* stopped after part of the source was consumed */
  ERROR_CANCELLED = 5,   /* told to stop, the source is whole */
};

/* An error.  Zero-initialise it ({ 0 }); it owns no memory, so it can be
 * copied and forgotten.  Not shared between threads.  The first error set
 * stays: a later error_set on a set error changes nothing, so that clean-up
 * code cannot hide the cause.
 */
struct error {
  enum error_kind kind;
  int errnum;            /* errno of the failed call, or 0 */
  char subject[256];     /* the path (or fd:N) that failed, or "" */
  char what[384];        /* what failed, and why when errnum is 0 */
  char hint[384];        /* what to do next, or "" */
};

/* Record an error of KIND with errno value ERRNUM (0: none) and a message
 * that says what failed.  Returns -1 always, so that callers can
 * "return error_set (...)".
 */
int error_set (struct error *err, enum error_kind kind, int errnum,
               const char *format, ...)
  __attribute__ ((format (printf, 4, 5)));

/* The same for an error that is about SUBJECT, which is copied as by
 * error_subject.  Returns -1 always.
 */
int error_about (struct error *err, enum error_kind kind, int errnum,
                 const char *subject, const char *format, ...)
  __attribute__ ((format (printf, 5, 6)));

/* Whether what failed is no fault of a file, but that there was no memory. */
static inline bool
error_lacks_memory (const struct error *err)
{
  return err->errnum == ENOMEM;
}

/* Put context before what failed: "CONTEXT: WHAT".  Returns -1 always. */
int error_context (struct error *err, const char *format, ...)
  __attribute__ ((format (printf, 2, 3)));

/* Name the path the error is about, unless a lower layer already did.
 * SUBJECT is copied (shortened from the left when too long).
 * Returns -1 always.
 */
int error_subject (struct error *err, const char *subject);

/* Say what the user can do next, replacing an earlier hint.  Returns -1. */
int error_hint (struct error *err, const char *format, ...)
  __attribute__ ((format (printf, 2, 3)));

/* Write the error as one line without a newline, "SUBJECT: WHAT: WHY; HINT",
 * into TEXT of SIZE bytes.  Always terminates TEXT.
 */
void error_format (const struct error *err, char *text, size_t size);

#endif /* IOPRESS_UTIL_ERROR_H */
