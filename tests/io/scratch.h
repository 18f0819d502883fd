/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A folder for the files of one test program, in the build tree: a real file
 * system, where O_DIRECT and holes are real too.
 */

#ifndef IOPRESS_TESTS_SCRATCH_H
#define IOPRESS_TESTS_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#include "io/file.h"

/* cmocka's set-up and tear-down of a group: make the folder, or remove it with
 * all files in it.
 */
int scratch_setup (void **state);
int scratch_teardown (void **state);

/* The path of NAME in the folder, in a static buffer; the file is removed. */
const char *scratch_path (const char *name);

/* A file of LENGTH bytes, byte N being pattern_byte (N); returns its path. */
const char *scratch_file (const char *name, size_t length);

uint8_t pattern_byte (uint64_t offset);

/* LENGTH bytes of the pattern as from offset START, page aligned; free it. */
uint8_t *pattern_bytes (uint64_t start, size_t length);

/* Fails the test unless PATH holds exactly LENGTH bytes of the pattern. */
void check_pattern_file (const char *path, size_t length);

/* The same for the first LENGTH bytes, whatever is behind them. */
void check_pattern_start (const char *path, size_t length);

/* Opens PATH for reading and writing, or fails the test; skips it when O_DIRECT
 * is asked for and not to be had.  Close with scratch_close.
 */
void scratch_open (const char *path, enum direct_io direct,
                   struct file *file);
void scratch_close (struct file *file);

#endif /* IOPRESS_TESTS_SCRATCH_H */
