/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program, run in this process, for fuzz targets that go all the way. */

#ifndef IOPRESS_TESTS_FUZZ_PROGRAM_H
#define IOPRESS_TESTS_FUZZ_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The function main of the program. */
int iopress_main (int argc, char **argv);

/* Run the program with ARGUMENTS, up to a NULL, of which the first is the
 * verb; its options for this process follow it.  Standard output goes nowhere.
 * Checks that the exit status is one that is documented, that standard error
 * is lines of text, and that there is one when the status is not 0.  Returns
 * the status.
 */
int fuzz_program (const char *const *arguments);

/* The folder of the codecs' modules, below $abs_top_builddir or the working
 * folder, and the codecs there up to a NULL, which stay loaded.
 */
const char *fuzz_plugin_folder (void);
struct codec *const *fuzz_codecs (void);

/* A file in memory with LENGTH bytes, to be closed. */
int fuzz_file (const void *bytes, size_t length);

/* The name of FD for the command line, in TEXT; returns TEXT. */
#define FUZZ_NAME_BYTES 16
const char *fuzz_name (int fd, char text[FUZZ_NAME_BYTES]);

/* Whether both files hold the same; holes are passed over. */
bool fuzz_same (int a, int b);

#endif /* IOPRESS_TESTS_FUZZ_PROGRAM_H */
