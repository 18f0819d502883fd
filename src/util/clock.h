/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The system's clocks, read in one number. */

#ifndef IOPRESS_UTIL_CLOCK_H
#define IOPRESS_UTIL_CLOCK_H

#include <stdint.h>
#include <time.h>

/* The time of CLOCK, as for clock_gettime(2), in nanoseconds.  It must be one
 * that every Linux has: those cannot fail.  Any thread.
 */
uint64_t clock_nanoseconds (clockid_t clock);

/* The same in seconds. */
double clock_seconds (clockid_t clock);

#endif /* IOPRESS_UTIL_CLOCK_H */
