/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What iopress recover says is missing. */

#ifndef IOPRESS_CMD_RECOVER_REPORT_H
#define IOPRESS_CMD_RECOVER_REPORT_H

#include <stdio.h>

#include "salvage/salvage.h"

/* Print on STREAM what SALVAGE found and what is missing, as text or as one
 * JSON object.
 */
void recover_report (const struct salvage *salvage, bool json, FILE *stream);

/* Bytes of the source that the gaps span, at most its size. */
uint64_t recover_missing_bytes (const struct salvage *salvage);

#endif /* IOPRESS_CMD_RECOVER_REPORT_H */
