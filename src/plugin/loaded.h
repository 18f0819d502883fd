/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lies where in the objects that this process has loaded. */

#ifndef IOPRESS_PLUGIN_LOADED_H
#define IOPRESS_PLUGIN_LOADED_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the LENGTH bytes at START lie in one segment of a loaded object. */
bool loaded_is_static (const void *start, size_t length);

/* Whether code lies at START. */
bool loaded_is_code (const void *start);

#endif /* IOPRESS_PLUGIN_LOADED_H */
