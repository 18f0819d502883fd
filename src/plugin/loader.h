/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loading codec plugins under the trust rules (docs/iopress-plugin.3). */

#ifndef IOPRESS_PLUGIN_LOADER_H
#define IOPRESS_PLUGIN_LOADER_H

#include <stdbool.h>

#include "plugin/iopress-plugin.h"
#include "util/error.h"

/* A loaded plugin. */
struct codec {
  struct iopress_codec ops;    /* our copy: members the plugin lacks are 0 */
  void *handle;                /* of dlopen */
  char path[4096];
};

/* Load NAME from FOLDER (NULL: the compiled-in one).  NAME may come from an
 * untrusted file: it must be [a-z0-9-]{1,15} and not reserved.  Folder and
 * file must be absolute, regular, owned by root (or, when FOLDER is given,
 * by the effective user) and not writable by others, and so must the folders
 * above the compiled-in one be (plugin/trust.h); RTLD_NOW | RTLD_LOCAL; the
 * environment is never consulted.  On success *CODEC is allocated; free it
 * with codec_unload.  Returns 0, or -1 with ERR: ERROR_FAILED with a hint
 * when there is no such plugin (which package or folder), or when the plugin
 * breaks the ABI ("plugin must have a .compress function").
 */
int codec_load (const char *folder, const char *name, struct codec **codec,
                struct error *err);

/* Unload; NULL is ignored. */
void codec_unload (struct codec *codec);

/* What CODEC says of the last failure of CONTEXT, one line; never NULL. */
static inline const char *
codec_error_text (const struct codec *codec,
                  struct iopress_codec_context *context)
{
  const char *text = NULL;

  if (codec->ops.error_text != NULL)
    text = codec->ops.error_text (context);
  return text != NULL ? text : "no reason given";
}

/* The codec that is used where none is named, and its level. */
#define CODEC_DEFAULT "zstd"
#define CODEC_DEFAULT_LEVEL "1"

/* What "-c NAME[:LEVEL][,PARAMETERS]" says, before the plugin is known. */
struct codec_choice {
  char name[IOPRESS_CODEC_NAME_MAX + 1];
  bool automatic;              /* the level is to follow the run */
  bool has_level;
  int level;
  char parameters[IOPRESS_CODEC_PARAMETERS_MAX + 1];
};

/* Parse the argument of -c ("zstd", "lz4:9", "zstd:3,long=27",
 * "xz:6,extreme", "stored", "auto", "lz4:auto"); "auto" is the default codec,
 * its level to follow the run.  Returns 0, or -1 with ERR (ERROR_USAGE).
 */
int codec_choice_parse (const char *text, struct codec_choice *choice,
                        struct error *err);

/* Fill in the default level and check level and parameters with the plugin.  A
 * level that is to follow the run needs its set_level.
 * Returns 0, or -1 with ERR (ERROR_USAGE) naming the range or the fault.
 */
int codec_choice_check (const struct codec *codec,
                        struct codec_choice *choice, struct error *err);

/* Call VISIT for every plugin name found in FOLDER (NULL: compiled-in), in
 * alphabetical order.  CODEC is valid during the visit and WHY is NULL; a
 * plugin that cannot be loaded is visited with CODEC NULL and its error.
 * Returns 0, or -1 with ERR when the folder cannot be read or VISIT returned
 * non-zero.
 */
int codec_each (const char *folder,
                int (*visit) (void *opaque, const char *name,
                              const struct codec *codec,
                              const struct error *why),
                void *opaque, struct error *err);

/* Ask the codecs in FOLDER (NULL: compiled-in) whose frame begins with the
 * LENGTH bytes at FRAME, see is_frame: NAME is that of the one that says so, or
 * "" when none does, or several do.  Returns 0, or -1 with ERR when the folder
 * cannot be read.
 */
int codec_find_by_frame (const char *folder, const void *frame, size_t length,
                         char name[IOPRESS_CODEC_NAME_MAX + 1],
                         struct error *err);

#endif /* IOPRESS_PLUGIN_LOADER_H */
