/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing the JSON reports. */

#include <config.h>

#include <inttypes.h>
#include <stdlib.h>

#include "util/json.h"
#include "util/visible.h"

static void
put_line (const struct json *json)
{
  fprintf (json->stream, "\n%*s", (int) (2 * json->depth), "");
}

/* What stands before each value but that of the report itself. */
static void
put_name (struct json *json, const char *name)
{
  bool *filled = &json->filled[json->depth - 1];

  if (*filled)
    putc (',', json->stream);
  *filled = true;
  put_line (json);
  if (name != NULL) {
    visible_print_json_string (json->stream, name);
    fputs (": ", json->stream);
  }
}

static void
put_opening (struct json *json, char opening, char closing)
{
  if (json->depth == JSON_DEPTH_MAX)
    abort ();
  putc (opening, json->stream);
  json->closing[json->depth] = closing;
  json->filled[json->depth++] = false;
}

void
json_begin (struct json *json, FILE *stream)
{
  *json = (struct json) { .stream = stream };
  put_opening (json, '{', '}');
}

void
json_end (struct json *json)
{
  json_close (json);
  putc ('\n', json->stream);
}

void
json_open_object (struct json *json, const char *name)
{
  put_name (json, name);
  put_opening (json, '{', '}');
}

void
json_open_array (struct json *json, const char *name)
{
  put_name (json, name);
  put_opening (json, '[', ']');
}

void
json_close (struct json *json)
{
  json->depth--;
  if (json->filled[json->depth])
    put_line (json);
  putc (json->closing[json->depth], json->stream);
}

void
json_add_number (struct json *json, const char *name, uint64_t value)
{
  put_name (json, name);
  fprintf (json->stream, "%" PRIu64, value);
}

void
json_add_integer (struct json *json, const char *name, int64_t value)
{
  put_name (json, name);
  fprintf (json->stream, "%" PRId64, value);
}

void
json_add_real (struct json *json, const char *name, double value)
{
  put_name (json, name);
  fprintf (json->stream, "%.17g", value);
}

void
json_add_string (struct json *json, const char *name, const char *value)
{
  put_name (json, name);
  visible_print_json_string (json->stream, value);
}

void
json_add_boolean (struct json *json, const char *name, bool value)
{
  put_name (json, name);
  fputs (value ? "true" : "false", json->stream);
}

void
json_add_null (struct json *json, const char *name)
{
  put_name (json, name);
  fputs ("null", json->stream);
}
