/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals that ask for a clean end. */

#include <config.h>

#include "cmd/signals.h"

static volatile sig_atomic_t received;

static void
note (int number)
{
  received = number;
}

void
signals_catch (void)
{
  static const int asking[] = { SIGINT, SIGTERM, SIGHUP };
  struct sigaction action = { .sa_handler = note,
                              .sa_flags = (int) SA_RESETHAND };
  struct sigaction ignore = { .sa_handler = SIG_IGN };
  size_t i;

  sigemptyset (&action.sa_mask);
  for (i = 0; i < sizeof asking / sizeof asking[0]; i++) {
    struct sigaction before;

    /* What the caller ignores (nohup) stays ignored. */
    if (sigaction (asking[i], NULL, &before) == 0 &&
        before.sa_handler != SIG_IGN)
      sigaction (asking[i], &action, NULL);
  }
  sigaction (SIGPIPE, &ignore, NULL);
  sigaction (SIGXFSZ, &ignore, NULL);
  sigaction (SIGIO, &ignore, NULL);
}

const volatile sig_atomic_t *
signals_received (void)
{
  return &received;
}
