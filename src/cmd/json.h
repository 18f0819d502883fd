/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Building the JSON reports. */

#ifndef IOPRESS_CMD_JSON_H
#define IOPRESS_CMD_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Add a member to OBJECT. */
void json_add_number (struct json_object *object, const char *name,
                      uint64_t value);
void json_add_integer (struct json_object *object, const char *name,
                       int64_t value);
void json_add_real (struct json_object *object, const char *name,
                    double value);
void json_add_string (struct json_object *object, const char *name,
                      const char *value);
void json_add_boolean (struct json_object *object, const char *name,
                       bool value);

/* Print a report on STREAM, for people to read, too, and free it. */
void json_print (struct json_object *report, FILE *stream);

#endif /* IOPRESS_CMD_JSON_H */
