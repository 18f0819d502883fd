/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A folder of one test's own, which obeys the trust rules of the loader
 * whatever the umask and the owner of the build tree are.
 */

#ifndef IOPRESS_TESTS_PRIVATE_FOLDER_H
#define IOPRESS_TESTS_PRIVATE_FOLDER_H

struct private_folder {
  char path[256];
};

/* Make an empty folder, mode 0755, under TMPDIR or /tmp.  Exits on error. */
void private_folder_make (struct private_folder *folder);

/* Copy the file FROM into FOLDER as NAME, mode 0755.  Returns 0 or -1 with
 * errno.
 */
int private_folder_copy (const struct private_folder *folder,
                         const char *from, const char *name);

/* Remove FOLDER and the files in it. */
void private_folder_remove (const struct private_folder *folder);

#endif /* IOPRESS_TESTS_PRIVATE_FOLDER_H */
