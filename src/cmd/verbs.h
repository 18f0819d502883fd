/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs of the command line, a file each. */

#ifndef IOPRESS_CMD_VERBS_H
#define IOPRESS_CMD_VERBS_H

#include "cmd/verb.h"

extern const struct verb save_verb;
extern const struct verb restore_verb;
extern const struct verb info_verb;
extern const struct verb verify_verb;
extern const struct verb repack_verb;
extern const struct verb recover_verb;
extern const struct verb expand_verb;
extern const struct verb mount_verb;
extern const struct verb mount_helper_verb;
extern const struct verb plugins_verb;
extern const struct verb plugin_check_verb;
extern const struct verb iohelper_verb;

/* All of them, in the order of iopress --help. */
#define VERBS \
  &save_verb, &restore_verb, &info_verb, &verify_verb, &repack_verb, \
  &recover_verb, &expand_verb, &mount_verb, &mount_helper_verb, \
  &plugins_verb, &plugin_check_verb, &iohelper_verb

#endif /* IOPRESS_CMD_VERBS_H */
