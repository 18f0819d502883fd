/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parameters that a codec describes, and texts held against them. */

#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/loaded.h"
#include "plugin/parameters.h"

/* Most parameters a codec can describe: a text has no room for more. */
#define PARAMETERS_MAX (IOPRESS_CODEC_PARAMETERS_MAX / 2u + 1u)

/* More than any header will ever make of struct iopress_codec_parameter. */
#define PARAMETER_SIZE_MAX 4096u

const struct iopress_codec_parameter *
codec_parameter (const struct iopress_codec *ops, size_t index)
{
  const struct iopress_codec_parameter *parameter;

  /* Those of a plugin built with a later header may be longer. */
  if (ops->parameters == NULL)
    return NULL;
  parameter = (const void *) ((const char *) ops->parameters +
                              index * ops->parameter_size);
  return parameter->key != NULL ? parameter : NULL;
}

void
codec_parameter_range (const struct iopress_codec_parameter *parameter,
                       char text[PARAMETER_RANGE_BYTES])
{
  switch (parameter->type) {
  case IOPRESS_CODEC_INTEGER:
    snprintf (text, PARAMETER_RANGE_BYTES, "%s=%" PRId64 "..%" PRId64,
              parameter->key, parameter->minimum, parameter->maximum);
    break;
  case IOPRESS_CODEC_CHOICE:
    snprintf (text, PARAMETER_RANGE_BYTES, "%s=%s", parameter->key,
              parameter->choices);
    break;
  default:
    snprintf (text, PARAMETER_RANGE_BYTES, "%s", parameter->key);
    break;
  }
}

static bool
is_key (const char *key)
{
  size_t length = strlen (key);

  return length > 0 && length <= IOPRESS_CODEC_KEY_MAX &&
    strspn (key, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

bool
codec_text_is_line (const char *text)
{
  if (text == NULL || *text == '\0')
    return false;
  while (*text >= ' ' && *text <= '~')
    text++;
  return *text == '\0';
}

static bool
is_word_list (const char *choices)
{
  return codec_text_is_line (choices) && strpbrk (choices, " ,=") == NULL &&
    strstr (choices, "||") == NULL && choices[0] != '|' &&
    choices[strlen (choices) - 1] != '|' &&
    strlen (choices) < PARAMETER_RANGE_BYTES - IOPRESS_CODEC_KEY_MAX - 1;
}

/* A text of the plugin's that lies where nothing can have been freed. */
static bool
is_static_line (const char *text)
{
  return text != NULL && loaded_is_static (text, 1) &&
    codec_text_is_line (text);
}

/* What is wrong with PARAMETER, or NULL. */
static const char *
fault_of (const struct iopress_codec_parameter *parameter)
{
  if (!is_static_line (parameter->key) || !is_key (parameter->key))
    return "a static .key of 1 to 31 of the characters a-z, 0-9 and -";
  if (parameter->type < IOPRESS_CODEC_FLAG ||
      parameter->type > IOPRESS_CODEC_CHOICE)
    return "a .type of this program's iopress-plugin.h";
  if (parameter->type == IOPRESS_CODEC_INTEGER &&
      parameter->minimum > parameter->maximum)
    return "a .minimum that is not above .maximum";
  if (parameter->type == IOPRESS_CODEC_CHOICE &&
      (!is_static_line (parameter->choices) ||
       !is_word_list (parameter->choices)))
    return "static words with | between them as .choices";
  return is_static_line (parameter->help) ? NULL
    : "a static line of ASCII as .help";
}

/* Which parameter before INDEX has the key of that one; INDEX for none. */
static size_t
first_of_key (const struct iopress_codec *ops, size_t index)
{
  const char *key = codec_parameter (ops, index)->key;
  size_t i = 0;

  while (strcmp (codec_parameter (ops, i)->key, key) != 0)
    i++;
  return i;
}

/* Whether the parameter INDEX is there to be looked at, or the end. */
static int
check_place (const struct iopress_codec *ops, size_t index, struct error *err)
{
  const char *place = (const char *) ops->parameters +
    index * ops->parameter_size;

  if (index <= PARAMETERS_MAX &&
      loaded_is_static (place, sizeof (struct iopress_codec_parameter)))
    return 0;
  if (index == 0)
    return error_set (err, ERROR_FAILED, 0,
                      "plugin must have a static array as .parameters");
  return error_set (err, ERROR_FAILED, 0,
                    "plugin must end .parameters with a .key of NULL");
}

static int
check_described (const struct iopress_codec *ops, size_t index,
                 struct error *err)
{
  const char *fault = fault_of (codec_parameter (ops, index));
  size_t first;

  if (fault != NULL)
    return error_set (err, ERROR_FAILED, 0, "plugin must give parameter %zu "
                      "%s", index + 1, fault);
  first = first_of_key (ops, index);
  return first == index ? 0
    : error_set (err, ERROR_FAILED, 0, "plugin must give parameter %zu a .key "
                 "of its own: parameter %zu is \"%s\", too", index + 1,
                 first + 1, codec_parameter (ops, index)->key);
}

int
codec_parameters_check_described (const struct iopress_codec *ops,
                                  struct error *err)
{
  size_t i;

  if (ops->parameters == NULL)
    return 0;
  if (ops->parameter_size < sizeof (struct iopress_codec_parameter) ||
      ops->parameter_size > PARAMETER_SIZE_MAX ||
      ops->parameter_size % _Alignof (struct iopress_codec_parameter) != 0)
    return error_set (err, ERROR_FAILED, 0,
                      "plugin must be registered with "
                      "IOPRESS_REGISTER_CODEC: .parameter_size is %zu",
                      ops->parameter_size);
  for (i = 0; check_place (ops, i, err) == 0; i++) {
    if (codec_parameter (ops, i) == NULL)
      return 0;
    if (check_described (ops, i, err) < 0)
      return -1;
  }
  return -1;
}

/* A parameter as the user wrote it, in one piece of the text. */
struct written {
  const char *key;
  size_t key_length;
  const char *value;           /* NULL without "=" */
  size_t value_length;
};

static struct written
split (const char *text)
{
  size_t length = strcspn (text, ","), key_length = strcspn (text, "=,");
  struct written written = { .key = text, .key_length = key_length };

  if (key_length < length) {
    written.value = text + key_length + 1;
    written.value_length = length - key_length - 1;
  }
  return written;
}

static bool
has_key (const struct written *written, const char *key)
{
  return strlen (key) == written->key_length &&
    strncmp (written->key, key, written->key_length) == 0;
}

static bool
is_integer_in_range (const struct written *written,
                     const struct iopress_codec_parameter *parameter)
{
  const char *digits = written->value + (written->value[0] == '-');
  size_t sign = (size_t) (digits - written->value);
  long long value;

  if (written->value_length == sign ||
      strspn (digits, "0123456789") != written->value_length - sign)
    return false;
  errno = 0;
  value = strtoll (written->value, NULL, 10);
  return errno == 0 && value >= parameter->minimum &&
    value <= parameter->maximum;
}

static bool
is_chosen_word (const struct written *written, const char *choices)
{
  size_t length = strcspn (choices, "|");

  while (length != written->value_length ||
         strncmp (choices, written->value, length) != 0) {
    if (choices[length] == '\0')
      return false;
    choices += length + 1;
    length = strcspn (choices, "|");
  }
  return true;
}

static bool
has_value (const struct written *written,
           const struct iopress_codec_parameter *parameter)
{
  if (written->value == NULL || parameter->type == IOPRESS_CODEC_FLAG)
    return written->value == NULL && parameter->type == IOPRESS_CODEC_FLAG;
  return parameter->type == IOPRESS_CODEC_INTEGER
    ? is_integer_in_range (written, parameter)
    : is_chosen_word (written, parameter->choices);
}

/* What there is instead of a parameter that there is not. */
static int
refuse_unknown (const struct iopress_codec *ops,
                const struct written *written, struct error *err)
{
  char known[256] = "", range[PARAMETER_RANGE_BYTES];
  const struct iopress_codec_parameter *parameter;
  size_t i, used = 0;

  for (i = 0; (parameter = codec_parameter (ops, i)) != NULL; i++) {
    codec_parameter_range (parameter, range);
    if (used + strlen (range) + 2 < sizeof known)
      used += (size_t) sprintf (known + used, "%s%s", i > 0 ? ", " : "",
                                range);
  }
  error_set (err, ERROR_USAGE, 0, "codec %s has no parameter \"%.*s\"",
             ops->name, (int) written->key_length, written->key);
  return error_hint (err, "it has %s", used > 0 ? known : "none");
}

static int
check_written (const struct iopress_codec *ops, const char *text,
               const struct written *written, struct error *err)
{
  const struct iopress_codec_parameter *parameter;
  char range[PARAMETER_RANGE_BYTES];
  const char *value = written->value;
  size_t i = 0;

  do {
    parameter = codec_parameter (ops, i++);
    if (parameter == NULL)
      return refuse_unknown (ops, written, err);
  } while (!has_key (written, parameter->key));
  if (value == NULL)
    value = written->key + written->key_length;
  if (iopress_codec_value (text, parameter->key) != value)
    return error_set (err, ERROR_USAGE, 0,
                      "codec %s: %s is there more than once", ops->name,
                      parameter->key);
  if (has_value (written, parameter))
    return 0;
  codec_parameter_range (parameter, range);
  return error_set (err, ERROR_USAGE, 0, "codec %s: the parameter is %s, "
                    "not \"%.*s\"", ops->name, range,
                    (int) strcspn (written->key, ","), written->key);
}

int
codec_parameters_check (const struct iopress_codec *ops, const char *text,
                        struct error *err)
{
  struct written written;
  const char *at = text;

  do {
    written = split (at);
    if (check_written (ops, text, &written, err) < 0)
      return -1;
    at += strcspn (at, ",");
  } while (*at++ == ',');
  return 0;
}
