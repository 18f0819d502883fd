/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text that somebody else wrote, made safe to print: names of guests and
 * files, and what QEMU and plugins say.  (Those of RAM blocks, machines and
 * codecs are refused unless they are printable ASCII.)
 */

#ifndef IOPRESS_UTIL_VISIBLE_H
#define IOPRESS_UTIL_VISIBLE_H

#include <stdio.h>

/* Print TEXT on STREAM so that it does nothing to a terminal but show, on one
 * line.  What is visible in UTF-8 stays as it is, whatever the locale says;
 * control characters, C1 ones too, those that turn the direction of text, and
 * bytes that are not UTF-8 become "\xNN", byte by byte.
 */
void visible_print (FILE *stream, const char *text);

/* The same as one word of a shell, in single quotes. */
void visible_print_quoted (FILE *stream, const char *text);

/* Print TEXT, a JSON document whose strings may hold any byte but control
 * characters below 0x20: characters as above become escape sequences, which
 * read as what they stand for, and bytes that are not UTF-8 U+FFFD.
 */
void visible_print_json (FILE *stream, const char *text);

/* Print TEXT, any bytes, as a string of such a document. */
void visible_print_json_string (FILE *stream, const char *text);

#endif /* IOPRESS_UTIL_VISIBLE_H */
