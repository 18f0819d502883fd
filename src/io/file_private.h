/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of io/file.h share. */

#ifndef IOPRESS_IO_FILE_PRIVATE_H
#define IOPRESS_IO_FILE_PRIVATE_H

#include "io/file.h"

/* Record that a call on FILE failed with errno.  Returns -1. */
int file_fail (const struct file *file, struct error *err, const char *what);

/* The same for an open of FILE, of which it notes whether it is absent. */
int file_fail_open (struct file *file, struct error *err, const char *what);

/* The flags of open(2) for ACCESS. */
int file_open_flags (enum file_access access);

/* Make FILE a closed one called NAME. */
void file_set_name (struct file *file, const char *name);

#endif /* IOPRESS_IO_FILE_PRIVATE_H */
