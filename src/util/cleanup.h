/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Variables that clean up after themselves at the end of their scope. */

#ifndef IOPRESS_UTIL_CLEANUP_H
#define IOPRESS_UTIL_CLEANUP_H

/* free(3) the pointer. */
#define CLEANUP_FREE __attribute__ ((cleanup (cleanup_free)))

/* close(2) the descriptor unless it is -1. */
#define CLEANUP_CLOSE __attribute__ ((cleanup (cleanup_close)))

void cleanup_free (void *pointer_to_pointer);
void cleanup_close (int *fd);

#endif /* IOPRESS_UTIL_CLEANUP_H */
