/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals that ask for a clean end. */

#include <config.h>

#include "cmd/signals.h"

/* Those that ask for an end, and those whose default would end a call too. */
static const int asking[] = { SIGINT, SIGTERM, SIGHUP };
static const int ignored[] = { SIGPIPE, SIGXFSZ, SIGIO };

#define COUNT(array) (sizeof (array) / sizeof (array)[0])

static volatile sig_atomic_t received;

/* As they were before signals_catch. */
static struct sigaction asking_before[COUNT (asking)];
static struct sigaction ignored_before[COUNT (ignored)];

static void
note (int number)
{
  received = number;
}

void
signals_catch (void)
{
  struct sigaction action = { .sa_handler = note,
                              .sa_flags = (int) SA_RESETHAND };
  struct sigaction ignore = { .sa_handler = SIG_IGN };
  size_t i;

  sigemptyset (&action.sa_mask);
  for (i = 0; i < COUNT (asking); i++)
    /* What the caller ignores (nohup) stays ignored. */
    if (sigaction (asking[i], NULL, &asking_before[i]) == 0 &&
        asking_before[i].sa_handler != SIG_IGN)
      sigaction (asking[i], &action, NULL);
  for (i = 0; i < COUNT (ignored); i++)
    sigaction (ignored[i], &ignore, &ignored_before[i]);
}

void
signals_hand_over (void)
{
  size_t i;

  for (i = 0; i < COUNT (asking); i++)
    sigaction (asking[i], &asking_before[i], NULL);
}

void
signals_restore (void)
{
  size_t i;

  signals_hand_over ();
  for (i = 0; i < COUNT (ignored); i++)
    sigaction (ignored[i], &ignored_before[i], NULL);
}

const volatile sig_atomic_t *
signals_received (void)
{
  return &received;
}
