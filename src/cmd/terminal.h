/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be done on the terminal at a descriptor, if there is one. */

#ifndef IOPRESS_CMD_TERMINAL_H
#define IOPRESS_CMD_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Whether FD is a terminal on which a line can be written over. */
bool terminal_is_capable (int fd);

/* Whether it is one that shows colours to somebody who wants them, which
 * $NO_COLOR says they do not.
 */
bool terminal_has_colours (int fd);

/* The width of FD in characters, at least 1; OTHERWISE, where it has none. */
size_t terminal_columns (int fd, size_t otherwise);

#endif /* IOPRESS_CMD_TERMINAL_H */
