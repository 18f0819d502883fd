/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays that grow by one element at a time. */

#ifndef IOPRESS_UTIL_ARRAY_H
#define IOPRESS_UTIL_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/* Make room for one element more in ARRAY, the address of a pointer to COUNT
 * elements of SIZE bytes, NULL when there are none; to be freed.  The room
 * doubles, so that COUNT elements cost COUNT steps.  Returns false with errno
 * when there is no memory; the array is as it was.
 */
bool array_grow (void *array, size_t count, size_t size);

#endif /* IOPRESS_UTIL_ARRAY_H */
