/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the codec with a flaw have in common. */

#ifndef IOPRESS_TESTS_FLAWED_H
#define IOPRESS_TESTS_FLAWED_H

#include "iopress-plugin.h"

/* Whether NAME is the flaw of this copy. */
int is (const char *name);

/* SIZE bytes that are used and never given back. */
void *take_memory (size_t size);

/* Put in the members that have the flaw themselves. */
void flawed_members (struct iopress_codec *codec);

#endif /* IOPRESS_TESTS_FLAWED_H */
