/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of src/util/thread.c. */

#include <config.h>

#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/thread.h"

/* What the thread finds. */
struct found {
  bool blocked[2];             /* SIGTERM, SIGINT */
  sem_t ended;
};

static void *
look (void *opaque)
{
  struct found *found = opaque;
  sigset_t mask;

  pthread_sigmask (SIG_SETMASK, NULL, &mask);
  found->blocked[0] = sigismember (&mask, SIGTERM) == 1;
  found->blocked[1] = sigismember (&mask, SIGINT) == 1;
  sem_post (&found->ended);
  return found;
}

/* The thread left signals to this one, whose mask is what it was. */
static void
check (const struct found *found)
{
  sigset_t mask;

  assert_true (found->blocked[0]);
  assert_true (found->blocked[1]);
  pthread_sigmask (SIG_SETMASK, NULL, &mask);
  assert_int_equal (sigismember (&mask, SIGTERM), 0);
  assert_int_equal (sigismember (&mask, SIGUSR1), 1);
}

static int
block_one (void **state)
{
  sigset_t one;

  (void) state;
  sigemptyset (&one);
  sigaddset (&one, SIGUSR1);
  return pthread_sigmask (SIG_SETMASK, &one, NULL);
}

static void
test_joined (void **state)
{
  struct found found = { .blocked = { false } };
  pthread_t thread;
  void *result;

  (void) state;
  sem_init (&found.ended, 0, 0);
  assert_int_equal (thread_start (&thread, look, &found), 0);
  assert_int_equal (pthread_join (thread, &result), 0);
  assert_ptr_equal (result, &found);
  check (&found);
  sem_destroy (&found.ended);
}

static void
test_detached (void **state)
{
  /* The thread may still be in sem_post when this returns. */
  static struct found found;

  (void) state;
  sem_init (&found.ended, 0, 0);
  assert_int_equal (thread_start_detached (look, &found), 0);
  assert_int_equal (sem_wait (&found.ended), 0);
  check (&found);
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_joined),
    cmocka_unit_test (test_detached),
  };

  return cmocka_run_group_tests (tests, block_one, NULL);
}
