/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Building the JSON reports. */

#include <config.h>

#include "cmd/json.h"
#include "cmd/visible.h"

void
json_add_number (struct json_object *object, const char *name, uint64_t value)
{
  json_object_object_add (object, name, json_object_new_uint64 (value));
}

void
json_add_integer (struct json_object *object, const char *name, int64_t value)
{
  json_object_object_add (object, name, json_object_new_int64 (value));
}

void
json_add_real (struct json_object *object, const char *name, double value)
{
  json_object_object_add (object, name, json_object_new_double (value));
}

void
json_add_string (struct json_object *object, const char *name,
                 const char *value)
{
  json_object_object_add (object, name, json_object_new_string (value));
}

void
json_add_boolean (struct json_object *object, const char *name, bool value)
{
  json_object_object_add (object, name, json_object_new_boolean (value));
}

void
json_print (struct json_object *report, FILE *stream)
{
  visible_print_json (stream, json_object_to_json_string_ext
                      (report, JSON_C_TO_STRING_PRETTY |
                       JSON_C_TO_STRING_SPACED |
                       JSON_C_TO_STRING_NOSLASHESCAPE));
  putc ('\n', stream);
  json_object_put (report);
}
