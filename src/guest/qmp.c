/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking QEMU how a migration stands. */

#include <config.h>

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "guest/qmp.h"

/* Milliseconds between two questions, and between two looks at CANCELLED. */
#define INTERVAL 200

/* No object that QEMU sends is longer, in bytes. */
#define OBJECT_BYTES_MAX (1u << 20)

struct qmp {
  int fd;
  const volatile sig_atomic_t *cancelled;
  struct json_tokener *tokener;
  char buffer[4096];
  size_t used, taken;          /* bytes in BUFFER, and of them parsed */
  size_t unfinished;           /* bytes parsed of the object that comes */
  unsigned int commands;       /* sent so far */
  char id[64];                 /* of the last one */
  struct error *err;
};

static int
check_cancelled (const volatile sig_atomic_t *cancelled, struct error *err)
{
  if (cancelled == NULL || *cancelled == 0)
    return 0;
  return error_set (err, ERROR_CANCELLED, 0, "cancelled by a signal");
}

/* Connect FD, which does not block: a QEMU that is busy with others has us
 * come again.
 */
static int
connect_socket (int fd, const struct sockaddr_un *address,
                const volatile sig_atomic_t *cancelled, struct error *err)
{
  while (connect (fd, (const struct sockaddr *) address,
                  sizeof *address) < 0) {
    if (errno != EAGAIN && errno != EINTR)
      return error_set (err, ERROR_FAILED, errno, "cannot connect to QEMU");
    if (check_cancelled (cancelled, err) < 0)
      return -1;
    poll (NULL, 0, INTERVAL);
  }
  return 0;
}

int
qmp_connect (const char *path, const volatile sig_atomic_t *cancelled,
             struct error *err)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd;

  if (strlen (path) >= sizeof address.sun_path)
    return error_set (err, ERROR_USAGE, ENAMETOOLONG, "cannot be a socket");
  strcpy (address.sun_path, path);
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return error_set (err, ERROR_FAILED, errno, "cannot connect to QEMU");
  if (connect_socket (fd, &address, cancelled, err) == 0)
    return fd;
  close (fd);
  return -1;
}

/* Wait until FD is ready for EVENTS; gives up when cancelled. */
static int
wait_ready (const struct qmp *qmp, short events)
{
  struct pollfd ready = { .fd = qmp->fd, .events = events };

  for (;;) {
    int count;

    if (check_cancelled (qmp->cancelled, qmp->err) < 0)
      return -1;
    count = poll (&ready, 1, INTERVAL);
    if (count > 0)
      return 0;
    if (count < 0 && errno != EINTR)
      return error_set (qmp->err, ERROR_FAILED, errno, "QMP: cannot wait");
  }
}

static int
closed (const struct qmp *qmp)
{
  return error_set (qmp->err, ERROR_CANCELLED, 0,
                    "QEMU closed the QMP connection before the migration "
                    "completed");
}

static int
send_text (const struct qmp *qmp, const char *text)
{
  size_t length = strlen (text);

  while (length > 0) {
    ssize_t count;

    if (wait_ready (qmp, POLLOUT) < 0)
      return -1;
    count = send (qmp->fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EPIPE || errno == ECONNRESET))
      return closed (qmp);
    if (count < 0 && errno != EINTR && errno != EAGAIN)
      return error_set (qmp->err, ERROR_FAILED, errno, "QMP: cannot ask");
    if (count > 0) {
      text += count;
      length -= (size_t) count;
    }
  }
  return 0;
}

/* Every command has an id of its own, which comes back with its answer. */
static int
send_command (struct qmp *qmp, const char *command)
{
  char text[160];

  snprintf (qmp->id, sizeof qmp->id, "iopress-%ld-%u", (long) getpid (),
            ++qmp->commands);
  snprintf (text, sizeof text, "{ \"execute\": \"%s\", \"id\": \"%s\" }\r\n",
            command, qmp->id);
  return send_text (qmp, text);
}

static int
fill_buffer (struct qmp *qmp)
{
  ssize_t count;

  if (wait_ready (qmp, POLLIN) < 0)
    return -1;
  count = recv (qmp->fd, qmp->buffer, sizeof qmp->buffer, MSG_DONTWAIT);
  if (count == 0 || (count < 0 && errno == ECONNRESET))
    return closed (qmp);
  if (count < 0 && errno != EINTR && errno != EAGAIN)
    return error_set (qmp->err, ERROR_FAILED, errno, "QMP: cannot listen");
  qmp->used = count > 0 ? (size_t) count : 0;
  qmp->taken = 0;
  return 0;
}

/* The next object QEMU sends, to be put; NULL with the error. */
static struct json_object *
receive_object (struct qmp *qmp)
{
  qmp->unfinished = 0;
  for (;;) {
    enum json_tokener_error state;
    struct json_object *object;

    if (qmp->taken == qmp->used && fill_buffer (qmp) < 0)
      return NULL;
    object = json_tokener_parse_ex (qmp->tokener, qmp->buffer + qmp->taken,
                                    (int) (qmp->used - qmp->taken));
    qmp->taken += json_tokener_get_parse_end (qmp->tokener);
    qmp->unfinished += json_tokener_get_parse_end (qmp->tokener);
    state = json_tokener_get_error (qmp->tokener);
    if (object != NULL)
      return object;
    if (state != json_tokener_continue || qmp->unfinished > OBJECT_BYTES_MAX) {
      error_set (qmp->err, ERROR_FAILED, 0, "QMP: what answers is not QEMU");
      return NULL;
    }
  }
}

static bool
is_answer (const struct qmp *qmp, struct json_object *object)
{
  struct json_object *id = NULL;

  return json_object_object_get_ex (object, "id", &id) && id != NULL &&
    strcmp (json_object_get_string (id), qmp->id) == 0;
}

/* Send COMMAND.  Returns the object of its answer, to be put, with "return" or
 * "error" in it; NULL with the error.  Greeting, events, and answers to what
 * others asked before, are passed over.
 */
static struct json_object *
ask (struct qmp *qmp, const char *command)
{
  struct json_object *object;

  if (send_command (qmp, command) < 0)
    return NULL;
  while ((object = receive_object (qmp)) != NULL && !is_answer (qmp, object))
    json_object_put (object);
  return object;
}

/* A connection in use has been through this; QEMU says so in an error. */
static int
negotiate (struct qmp *qmp)
{
  struct json_object *answer = ask (qmp, "qmp_capabilities");

  if (answer == NULL)
    return -1;
  json_object_put (answer);
  return 0;
}

static int
refused (const struct qmp *qmp, struct json_object *answer)
{
  struct json_object *error = NULL, *text = NULL;

  json_object_object_get_ex (answer, "error", &error);
  json_object_object_get_ex (error, "desc", &text);
  return error_set (qmp->err, ERROR_FAILED, 0,
                    "QEMU does not tell how the migration stands: %s",
                    text != NULL ? json_object_get_string (text)
                    : "no reason given");
}

/* What query-migrate answered.  Returns 1 when the migration completed, 0 to
 * ask again, -1 when it ended otherwise.
 */
static int
judge (const struct qmp *qmp, struct json_object *answer)
{
  struct json_object *result = NULL, *status = NULL, *why = NULL;
  const char *name;

  if (!json_object_object_get_ex (answer, "return", &result))
    return refused (qmp, answer);
  /* No status at all: nothing has been migrated yet. */
  if (!json_object_object_get_ex (result, "status", &status) ||
      status == NULL)
    return 0;
  name = json_object_get_string (status);
  if (strcmp (name, "completed") == 0)
    return 1;
  if (strcmp (name, "failed") != 0 && strcmp (name, "cancelled") != 0)
    return 0;
  json_object_object_get_ex (result, "error-desc", &why);
  return error_set (qmp->err, ERROR_CANCELLED, 0,
                    "QEMU says that the migration %s%s%s",
                    strcmp (name, "failed") == 0 ? "failed" : "was cancelled",
                    why != NULL ? ": " : "",
                    why != NULL ? json_object_get_string (why) : "");
}

static int
ask_until_ended (struct qmp *qmp)
{
  int state = 0;

  while (state == 0) {
    struct json_object *answer = ask (qmp, "query-migrate");

    if (answer == NULL)
      return -1;
    state = judge (qmp, answer);
    json_object_put (answer);
    if (state == 0 && check_cancelled (qmp->cancelled, qmp->err) < 0)
      return -1;
    if (state == 0)
      poll (NULL, 0, INTERVAL);
  }
  return state < 0 ? -1 : 0;
}

int
qmp_wait_completed (int fd, const volatile sig_atomic_t *cancelled,
                    struct error *err)
{
  struct qmp qmp = { .fd = fd, .cancelled = cancelled, .err = err };
  int result = -1;

  qmp.tokener = json_tokener_new ();
  if (qmp.tokener == NULL)
    return error_set (err, ERROR_FAILED, ENOMEM, "cannot ask QEMU");
  if (negotiate (&qmp) == 0)
    result = ask_until_ended (&qmp);
  json_tokener_free (qmp.tokener);
  return result;
}
