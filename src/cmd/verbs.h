/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs of the command line, one file each. */

#ifndef IOPRESS_CMD_VERBS_H
#define IOPRESS_CMD_VERBS_H

/* Each takes its own arguments, ARGV[0] being the verb, prints its errors and
 * returns the exit status (docs/iopress.1, EXIT STATUS).
 */
int cmd_expand (int argc, char **argv);
int cmd_save (int argc, char **argv);
int cmd_restore (int argc, char **argv);
int cmd_info (int argc, char **argv);
int cmd_verify (int argc, char **argv);
int cmd_recover (int argc, char **argv);
int cmd_mount (int argc, char **argv);
int cmd_plugins (int argc, char **argv);

/* As mount(8) runs mount.TYPE. */
int cmd_mount_helper (int argc, char **argv);

/* ARGV[0] may also be the path of libvirt_iohelper. */
int cmd_iohelper (int argc, char **argv);

#endif /* IOPRESS_CMD_VERBS_H */
