/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parameters that a codec describes, and texts held against them. */

#ifndef IOPRESS_PLUGIN_PARAMETERS_H
#define IOPRESS_PLUGIN_PARAMETERS_H

#include <stdbool.h>

#include "plugin/iopress-plugin.h"
#include "util/error.h"

/* Room for what codec_parameter_range writes, its NUL included. */
#define PARAMETER_RANGE_BYTES 128

/* The parameter INDEX that OPS describes; NULL behind the last one, and
 * where it describes none.  OPS is the loader's copy.
 */
const struct iopress_codec_parameter *
codec_parameter (const struct iopress_codec *ops, size_t index);

/* How to write PARAMETER: "extreme", "long=10..27" or "mode=text|binary". */
void codec_parameter_range (const struct iopress_codec_parameter *parameter,
                            char text[PARAMETER_RANGE_BYTES]);

/* Whether TEXT is there, and one line of ASCII that can be shown to people. */
bool codec_text_is_line (const char *text);

/* Whether what OPS describes can be used.  Returns 0, or -1 with ERR
 * (ERROR_FAILED), which says what in the plugin is wrong.
 */
int codec_parameters_check_described (const struct iopress_codec *ops,
                                      struct error *err);

/* Check TEXT, printable ASCII, against what OPS describes.  Returns 0, or -1
 * with ERR (ERROR_USAGE), which names the parameter that is wrong and what it
 * can be.
 */
int codec_parameters_check (const struct iopress_codec *ops, const char *text,
                            struct error *err);

#endif /* IOPRESS_PLUGIN_PARAMETERS_H */
