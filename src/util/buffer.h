/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Large buffers for codecs and O_DIRECT. */

#ifndef IOPRESS_UTIL_BUFFER_H
#define IOPRESS_UTIL_BUFFER_H

#include <stddef.h>

/* Allocate BYTES (not 0) of zeros, aligned to 2 MiB and in pages of that size
 * where the kernel has some: those are cheaper to copy to, and to pin for each
 * O_DIRECT request.  No core file has them.  Any thread.  Returns the buffer,
 * to be freed with buffer_free, or NULL with errno.
 */
void *buffer_allocate (size_t bytes);

/* Free BUFFER, of which BYTES were allocated; NULL is ignored. */
void buffer_free (void *buffer, size_t bytes);

#endif /* IOPRESS_UTIL_BUFFER_H */
