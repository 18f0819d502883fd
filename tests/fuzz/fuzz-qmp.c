/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzz target: any bytes as what QEMU says on its QMP socket, before it closes
 * it.  '#' stands for what the ids of our commands begin with.
 */

#include <config.h>

#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"
#include "guest/qmp.h"

const unsigned int fuzz_message_count = 0;
const unsigned long fuzz_mutation_count = 3000;

/* In the place of libc's: nothing changes by waiting here. */
int
poll (struct pollfd *ready, nfds_t count, int milliseconds)
{
  if (count == 0)
    return 0;
  return (int) syscall (SYS_poll, ready, count, milliseconds);
}

/* Copy BYTES to TEXT, with what each "#" stands for; returns its length. */
static size_t
put_ids (const uint8_t *bytes, size_t length, char *text)
{
  char *end = text;
  size_t i;

  for (i = 0; i < length; i++)
    if (bytes[i] == '#')
      end += sprintf (end, "iopress-%ld-", (long) getpid ());
    else
      *end++ = (char) bytes[i];
  return (size_t) (end - text);
}

static void
answer (int fd, const uint8_t *bytes, size_t length)
{
  static char text[FUZZ_BYTES_MAX];
  size_t room = put_ids (bytes, length, text);

  FUZZ_ASSERT (room == 0 || write (fd, text, room) == (ssize_t) room);
  shutdown (fd, SHUT_WR);
}

static bool
is_told (const struct error *err)
{
  return (err->kind == ERROR_FAILED || err->kind == ERROR_CANCELLED) &&
    err->what[0] != '\0';
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t length)
{
  struct error err = { 0 };
  int ends[2], result;

  if (length > FUZZ_BYTES_MAX / 32)
    return 0;
  FUZZ_ASSERT (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  answer (ends[1], bytes, length);
  result = qmp_wait_completed (ends[0], NULL, &err);
  FUZZ_ASSERT (result == 0 || is_told (&err));
  fuzz_count (result == 0);
  close (ends[0]);
  close (ends[1]);
  return 0;
}

size_t
fuzz_seed (unsigned int number, uint8_t *bytes)
{
  static const char *const said[] = {
    "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
    "{\"return\": {}, \"id\": \"#1\"}\r\n"
    "{\"return\": {\"status\": \"completed\"}, \"id\": \"#2\"}\r\n",
    "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no\"}, "
    "\"id\": \"#1\"}{\"event\": \"STOP\", \"data\": {\"a\": [1, -2.5e9]}}\n"
    "{\"return\": {}, \"id\": \"#2\"}\n"
    "{\"return\": {\"status\": \"active\", \"ram\": {\"total\": 1}}, "
    "\"id\": \"#3\"}\n{\"return\": {\"status\": \"completed\"}, "
    "\"id\": \"#4\"}\n",
  };
  size_t length;

  if (number >= sizeof said / sizeof said[0])
    return 0;
  length = strlen (said[number]);
  memcpy (bytes, said[number], length);
  return length;
}
