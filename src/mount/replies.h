/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers for the answers to reads: one for each thread that may have one to
 * give.  They are there from the beginning, and are all there ever are.
 */

#ifndef IOPRESS_MOUNT_REPLIES_H
#define IOPRESS_MOUNT_REPLIES_H

#include <stddef.h>

struct replies;

/* COUNT buffers of BYTES each, or NULL with errno; to be freed with
 * replies_free.
 */
struct replies *replies_new (unsigned int count, size_t bytes);

/* No buffer may be in use.  NULL is ignored. */
void replies_free (struct replies *replies);

/* A buffer with room for BYTES, to be given back; NULL when all are in use or
 * none is so large.  Any thread.
 */
void *replies_take (struct replies *replies, size_t bytes);
void replies_give_back (struct replies *replies, void *buffer);

#endif /* IOPRESS_MOUNT_REPLIES_H */
