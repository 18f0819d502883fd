/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing the JSON reports, which takes no memory and so cannot fail. */

#ifndef IOPRESS_UTIL_JSON_H
#define IOPRESS_UTIL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH_MAX 8u

/* A report that is being written.  Private. */
struct json {
  FILE *stream;
  unsigned int depth;
  char closing[JSON_DEPTH_MAX];        /* of what is open */
  bool filled[JSON_DEPTH_MAX];         /* it has a member */
};

/* Begin the object that is a report, and end it. */
void json_begin (struct json *json, FILE *stream);
void json_end (struct json *json);

/* In all that follows NAME is that of a member of the object that is open, or
 * NULL in an array.
 */

/* Begin an object or an array, and end what was begun last. */
void json_open_object (struct json *json, const char *name);
void json_open_array (struct json *json, const char *name);
void json_close (struct json *json);

void json_add_number (struct json *json, const char *name, uint64_t value);
void json_add_integer (struct json *json, const char *name, int64_t value);
/* VALUE must be finite. */
void json_add_real (struct json *json, const char *name, double value);
/* What is not UTF-8 becomes U+FFFD. */
void json_add_string (struct json *json, const char *name, const char *value);
void json_add_boolean (struct json *json, const char *name, bool value);
void json_add_null (struct json *json, const char *name);

#endif /* IOPRESS_UTIL_JSON_H */
