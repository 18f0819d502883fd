/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads that run code of codecs over bytes of strangers: they get memory, and
 * nothing else of the kernel.
 */

#ifndef IOPRESS_SANDBOX_MEMORY_ONLY_H
#define IOPRESS_SANDBOX_MEMORY_ONLY_H

#include <linux/filter.h>

#include "util/error.h"

/* Whether this build, processor and kernel can confine threads (seccomp(2),
 * SECCOMP_RET_TRAP).  Any thread.  Returns 0, or -1 with ERR, which says what
 * is missing.
 */
int memory_only_available (struct error *err);

/* Instructions: three times what the rules come to today. */
#define MEMORY_ONLY_CODE 256

/* What a thread is confined to; prepared once, read only then. */
struct memory_only {
  struct sock_fprog program;
  struct sock_filter code[MEMORY_ONLY_CODE];
};

/* Prepare to confine threads to memory that is not executable, waiting for
 * other threads and for time, their own end, and reading at offsets of READ_FD
 * (-1: of none).  CONFINEMENT stays where it is.  Returns 0, or -1 with ERR.
 */
int memory_only_prepare (int read_fd, struct memory_only *confinement,
                         struct error *err);

/* From now on the calling thread is confined.  Any other system call fails with
 * EPERM and is remembered.  There is no way back: for threads that end before
 * the program does something else.  Allocates nothing.  Returns 0, or -1 with
 * ERR.
 */
int memory_only_enter (const struct memory_only *confinement,
                       struct error *err);

/* The name of the first system call that was denied to the calling thread since
 * it was asked last, or NULL.  Static, or the thread's until it asks again.
 */
const char *memory_only_denied (void);

#endif /* IOPRESS_SANDBOX_MEMORY_ONLY_H */
