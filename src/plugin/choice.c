/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What "-c NAME[:LEVEL][,PARAMETERS]" says, and whether a codec takes it. */

#include <config.h>

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/loader.h"
#include "plugin/parameters.h"
#include "plugin/trust.h"
#include "util/name.h"

static int
parse_name (const char **text, char *name, struct error *err)
{
  size_t length = strcspn (*text, ":,");

  if (length <= IOPRESS_CODEC_NAME_MAX)
    memcpy (name, *text, length);
  if (!codec_name_valid (name))
    return error_set (err, ERROR_USAGE, 0,
                      "a codec name is 1 to %d of the characters a-z, 0-9 "
                      "and -", IOPRESS_CODEC_NAME_MAX);
  *text += length;
  return 0;
}

static int
parse_level (const char **text, int *level, struct error *err)
{
  const char *digits = *text + (**text == '-');
  char *end = NULL;
  long value = 0;

  /* strtol alone would skip white space and take a plus sign. */
  errno = 0;
  if (isdigit ((unsigned char) *digits))
    value = strtol (*text, &end, 10);
  if (end == NULL || (*end != '\0' && *end != ','))
    return error_set (err, ERROR_USAGE, 0, "the codec level is not a number");
  if (errno == ERANGE || value < INT_MIN || value > INT_MAX)
    return error_set (err, ERROR_USAGE, 0, "the codec level is too large");
  *level = (int) value;
  *text = end;
  return 0;
}

/* The text is shown to people later, so it must be safe to print. */
static int
check_text (const char *parameters, struct error *err)
{
  size_t i;

  for (i = 0; parameters[i] != '\0'; i++)
    if (parameters[i] <= ' ' || parameters[i] > '~')
      return error_set (err, ERROR_USAGE, 0,
                        "codec parameters must be printable ASCII without "
                        "spaces");
  return 0;
}

static int
parse_parameters (const char *text, char *parameters, struct error *err)
{
  size_t length = strlen (text);

  if (length == 0)
    return error_set (err, ERROR_USAGE, 0,
                      "no codec parameters after the comma");
  if (length > IOPRESS_CODEC_PARAMETERS_MAX)
    return error_set (err, ERROR_USAGE, 0,
                      "codec parameters are longer than %d characters",
                      IOPRESS_CODEC_PARAMETERS_MAX);
  memcpy (parameters, text, length + 1);
  return check_text (parameters, err);
}

/* The level, or CODEC_AUTO in its place. */
static int
parse_level_or_auto (const char **text, struct codec_choice *choice,
                     struct error *err)
{
  size_t length = strcspn (*text, ",");

  if (length == strlen (CODEC_AUTO) &&
      strncmp (*text, CODEC_AUTO, length) == 0) {
    choice->automatic = true;
    *text += length;
    return 0;
  }
  choice->has_level = true;
  return parse_level (text, &choice->level, err);
}

static int
parse (const char *text, struct codec_choice *choice, struct error *err)
{
  if (parse_name (&text, choice->name, err) < 0)
    return -1;
  if (strcmp (choice->name, CODEC_AUTO) == 0) {
    if (*text != '\0')
      return error_set (err, ERROR_USAGE, 0,
                        "\"" CODEC_AUTO "\" has neither level nor parameters");
    strcpy (choice->name, CODEC_DEFAULT);
    choice->automatic = true;
    return 0;
  }
  if (*text == ':') {
    text++;
    if (parse_level_or_auto (&text, choice, err) < 0)
      return -1;
  }
  if (*text == ',')
    return parse_parameters (text + 1, choice->parameters, err);
  return 0;
}

int
codec_choice_parse (const char *text, struct codec_choice *choice,
                    struct error *err)
{
  memset (choice, 0, sizeof *choice);
  if (parse (text, choice, err) == 0)
    return 0;
  return error_hint (err, "a codec is chosen with NAME[:LEVEL][,PARAMETERS], "
                     "for example zstd:3,long=27");
}

static int
check_parameters (const struct iopress_codec *ops,
                  const struct codec_choice *choice, struct error *err)
{
  char message[256] = "parameters refused";

  if (choice->parameters[0] == '\0')
    return 0;
  if (check_text (choice->parameters, err) < 0)
    return -1;
  if (ops->parameters == NULL && ops->check_parameters == NULL)
    return error_set (err, ERROR_USAGE, 0, "codec %s takes no parameters",
                      ops->name);
  if (ops->parameters != NULL &&
      codec_parameters_check (ops, choice->parameters, err) < 0)
    return -1;
  if (ops->check_parameters == NULL ||
      ops->check_parameters (choice->level, choice->parameters, message,
                             sizeof message) == 0)
    return 0;
  return error_set (err, ERROR_USAGE, 0, "codec %s: %s", ops->name, message);
}

int
codec_choice_check (const struct codec *codec, struct codec_choice *choice,
                    struct error *err)
{
  const struct iopress_codec *ops = &codec->ops;

  if (choice->automatic && ops->set_level == NULL)
    return error_set (err, ERROR_USAGE, 0,
                      "codec %s cannot change its level during a run: name "
                      "one of %d to %d", ops->name, ops->level_min,
                      ops->level_max);
  if (!choice->has_level) {
    choice->level = ops->level_default;
    choice->has_level = true;
  }
  if (choice->level < ops->level_min || choice->level > ops->level_max)
    return error_set (err, ERROR_USAGE, 0,
                      "codec %s has levels %d to %d, not %d", ops->name,
                      ops->level_min, ops->level_max, choice->level);
  return check_parameters (ops, choice, err);
}
