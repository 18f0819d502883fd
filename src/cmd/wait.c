/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting until QEMU has finished writing the source. */

#include <config.h>

#include <stdio.h>
#include <unistd.h>

#include "cmd/signals.h"
#include "cmd/wait.h"
#include "guest/qmp.h"
#include "io/file.h"

int
wait_for_byte (int fd, struct error *err)
{
  struct file channel = {
    .fd = fd,
    .how.cancelled = signals_received (),
    .stream = true,
  };
  char byte;
  ssize_t count;

  snprintf (channel.name, sizeof channel.name, "--wait-fd %d", fd);
  count = file_read_stream (&channel, &byte, 1, err);
  if (count > 0)
    return 0;
  return error_about (err, ERROR_CANCELLED, 0, channel.name,
                      "the channel was closed before the save completed");
}

int
wait_for_qemu (const char *name, struct error *err)
{
  int given = file_descriptor_of (name);
  int fd = given >= 0 ? given : qmp_connect (name, signals_received (), err);
  int result;

  if (fd < 0)
    return error_subject (err, name);
  result = qmp_wait_completed (fd, signals_received (), err);
  if (given < 0)
    close (fd);
  return result < 0 ? error_subject (err, name) : 0;
}
