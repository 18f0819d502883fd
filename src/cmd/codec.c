/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From what -c or an image says to a loaded codec. */

#include <config.h>

#include <stdio.h>
#include <string.h>

#include "cmd/codec.h"
#include "util/name.h"

static int
check_stored (const struct codec_choice *choice, struct error *err)
{
  if (choice->has_level || choice->automatic ||
      choice->parameters[0] != '\0')
    return error_set (err, ERROR_USAGE, 0,
                      "\"" CODEC_STORED "\" has neither level nor parameters");
  return 0;
}

int
codec_for_choice (const struct common_options *common,
                  struct file_header *header, struct codec **codec,
                  bool *automatic, struct error *err)
{
  struct codec_choice choice;

  *codec = NULL;
  if (codec_choice_parse (common->codec_text, &choice, err) < 0)
    return -1;
  if (choice.automatic && automatic == NULL)
    return error_set (err, ERROR_USAGE, 0,
                      "only save can choose the codec's level itself");
  if (strcmp (choice.name, CODEC_STORED) == 0) {
    if (check_stored (&choice, err) < 0)
      return -1;
  }
  else {
    if (codec_load (common->plugin_folder, choice.name, codec, err) < 0)
      return -1;
    if (codec_choice_check (*codec, &choice, err) < 0) {
      codec_unload (*codec);
      *codec = NULL;
      return -1;
    }
    header->level = choice.level;
    if (header->chunk_bytes == 0)
      header->chunk_bytes = (*codec)->ops.chunk_size;
  }
  snprintf (header->codec, sizeof header->codec, "%s", choice.name);
  snprintf (header->parameters, sizeof header->parameters, "%s",
            choice.parameters);
  if (header->chunk_bytes == 0)
    header->chunk_bytes = CHUNK_BYTES_DEFAULT;
  if (automatic != NULL)
    *automatic = choice.automatic;
  return 0;
}

int
codec_check_header (const struct codec *codec,
                    const struct file_header *header, struct error *err)
{
  struct codec_choice choice = { .has_level = true, .level = header->level };

  if (codec == NULL)
    return 0;
  snprintf (choice.parameters, sizeof choice.parameters, "%s",
            header->parameters);
  if (codec_choice_check (codec, &choice, err) == 0)
    return 0;
  err->kind = ERROR_BAD_INPUT;
  return -1;
}
