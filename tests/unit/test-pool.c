/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit test of src/pipeline/pool.c. */

#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/assert_error.h"
#include "pipeline/pool.h"

#define SLOTS 6u
#define ITEMS 500u
#define RAW_BYTES 5000u

/* What the workers did. */
struct record_of_work {
  atomic_uint opened, closed, worked;
  atomic_uint unread;          /* of these, came with an error */
  unsigned int open_limit;     /* the one after these fails */
  unsigned int failing;        /* the item whose work fails */
  atomic_uint delivered[ITEMS];
  atomic_uint held_from;       /* deliveries of this item and later ones wait */
};

struct context {
  struct record_of_work *record;
};

/* What waits for a fifth of a second waits for ever instead. */
static atomic_bool patient;

int
pthread_cond_timedwait (pthread_cond_t *condition, pthread_mutex_t *lock,
                        const struct timespec *until)
{
  if (atomic_load (&patient))
    return pthread_cond_wait (condition, lock);
  return pthread_cond_clockwait (condition, lock, CLOCK_REALTIME, until);
}

static int
open_context (void *opaque, void **worker, struct error *err)
{
  struct record_of_work *record = opaque;
  struct context *context;

  if (atomic_fetch_add (&record->opened, 1) >= record->open_limit)
    return error_set (err, ERROR_FAILED, ENOMEM, "no more contexts");
  context = calloc (1, sizeof *context);
  if (context == NULL)
    return error_set (err, ERROR_FAILED, ENOMEM, "out of memory");
  context->record = record;
  *worker = context;
  return 0;
}

static void
close_context (void *worker)
{
  struct context *context = worker;

  atomic_fetch_add (&context->record->closed, 1);
  free (context);
}

/* Takes longer for some items, so that they overtake each other. */
static void
work (void *worker, struct slot *slot)
{
  struct context *context = worker;
  uint64_t number = slot->window.number;
  struct timespec time = { .tv_nsec = (long) (number * 37 % 5) * 50000 };

  nanosleep (&time, NULL);
  atomic_fetch_add (&context->record->worked, 1);
  if (slot->error.kind != ERROR_NONE)
    atomic_fetch_add (&context->record->unread, 1);
  if (slot->window.number == context->record->failing)
    error_set (&slot->error, ERROR_BAD_INPUT, 0, "item %u fails",
               context->record->failing);
  slot->raw[0] = (uint8_t) (slot->raw[0] ^ 0xff);
}

/* Says so for one item in three. */
static bool
deliver (void *opaque, struct slot *slot)
{
  struct record_of_work *record = opaque;
  uint64_t number = slot->window.number;
  struct timespec time = { .tv_nsec = (long) (number * 41 % 3) * 50000 };

  nanosleep (&time, NULL);
  while (slot->window.number >= atomic_load (&record->held_from))
    nanosleep (&(struct timespec) { .tv_nsec = 1000000 }, NULL);
  if (slot->raw[0] == ((uint8_t) slot->window.number ^ 0xff))
    atomic_fetch_add (&record->delivered[slot->window.number], 1);
  return slot->window.number % 3 == 0;
}

static struct record_of_work
new_record (void)
{
  struct record_of_work record = {
    .open_limit = 100,
    .failing = UINT32_MAX,
    .held_from = UINT32_MAX,
  };

  return record;
}

static struct job
job_of (struct record_of_work *record)
{
  return (struct job) {
    .opaque = record,
    .raw_bytes = RAW_BYTES,
    .packed_bytes = 100,
    .open = open_context,
    .close = close_context,
    .work = work,
  };
}

static struct pool *
new_pool (struct record_of_work *record, unsigned int threads)
{
  struct error err = { 0 };
  struct job job = job_of (record);
  struct delivery delivery = { .opaque = record, .deliver = deliver };
  struct pool *pool = NULL;

  assert_int_equal (pool_create (&job, &delivery, threads, SLOTS, &pool,
                                 &err), 0);
  return pool;
}

/* Fill the slot with item NUMBER. */
static void
fill (struct slot *slot, uint64_t number)
{
  slot->window.number = number;
  slot->raw[0] = (uint8_t) number;
}

static void
check_out (struct slot *slot, uint64_t number)
{
  assert_non_null (slot);
  assert_int_equal (slot->window.number, number);
  assert_int_equal (slot->raw[0], (uint8_t) number ^ 0xff);
}

static struct slot *
dequeue_patiently (struct pool *pool)
{
  struct slot *slot = NULL;

  while (slot == NULL && pool_left (pool) > 0)
    slot = pool_dequeue (pool, true);
  return slot;
}

/* Reader and writer in one thread, as the serial twin is used. */
static void
run_in_one_thread (unsigned int threads)
{
  struct record_of_work record = new_record ();
  struct pool *pool = new_pool (&record, threads);
  uint64_t in = 0, out = 0;

  while (out < ITEMS) {
    struct slot *slot = in < ITEMS ? pool_take (pool, false) : NULL;

    if (slot != NULL) {
      fill (slot, in++);
      pool_submit (pool, slot);
      if (in == ITEMS)
        pool_end_input (pool);
      continue;
    }
    slot = dequeue_patiently (pool);
    check_out (slot, out++);
    pool_release (pool, slot);
  }
  assert_int_equal (pool_left (pool), 0);
  assert_null (pool_dequeue (pool, true));
  pool_free (pool);
  assert_int_equal (record.worked, ITEMS);
  assert_int_equal (record.opened, threads > 0 ? threads : 1);
  assert_int_equal (record.closed, record.opened);
}

static void
test_serial_twin (void **state)
{
  (void) state;
  run_in_one_thread (0);
}

static void
test_one_worker (void **state)
{
  (void) state;
  run_in_one_thread (1);
}

static void
test_many_workers (void **state)
{
  (void) state;
  run_in_one_thread (7);
}

/* Submits pairs of slots the wrong way round. */
static void *
reader_main (void *opaque)
{
  struct pool *pool = opaque;
  uint64_t i;

  for (i = 0; i < ITEMS; i += 2) {
    struct slot *first = pool_take (pool, true);
    struct slot *second = pool_take (pool, true);

    fill (first, i);
    fill (second, i + 1);
    pool_submit (pool, second);
    pool_submit (pool, first);
  }
  pool_end_input (pool);
  return NULL;
}

/* The writer keeps two slots and gives them back in the wrong order. */
static void
test_order_with_reader_thread (void **state)
{
  struct record_of_work record = new_record ();
  struct pool *pool = new_pool (&record, 3);
  pthread_t reader;
  uint64_t i;

  (void) state;
  assert_int_equal (pthread_create (&reader, NULL, reader_main, pool), 0);
  for (i = 0; i < ITEMS; i += 2) {
    struct slot *first = dequeue_patiently (pool);
    struct slot *second = dequeue_patiently (pool);

    check_out (first, i);
    check_out (second, i + 1);
    pool_release (pool, second);
    pool_release (pool, first);
  }
  assert_null (dequeue_patiently (pool));
  pthread_join (reader, NULL);
  pool_free (pool);
}

/* A failed item comes out in its turn; so does one that came with an error, which
 * the job sees.
 */
static void
check_errors (unsigned int threads)
{
  struct record_of_work record = new_record ();
  struct pool *pool;
  uint64_t i;

  record.failing = 2;
  pool = new_pool (&record, threads);
  for (i = 0; i < 5; i++) {
    struct slot *slot = pool_take (pool, false);

    assert_int_equal (slot->error.kind, ERROR_NONE);
    fill (slot, i);
    if (i == 1)
      error_set (&slot->error, ERROR_FAILED, EIO, "not read");
    pool_submit (pool, slot);
  }
  pool_end_input (pool);
  for (i = 0; i < 5; i++) {
    struct slot *slot = dequeue_patiently (pool);

    assert_int_equal (slot->window.number, i);
    if (i == 1)
      assert_error (&slot->error, ERROR_FAILED, "not read");
    else if (i == 2)
      assert_error (&slot->error, ERROR_BAD_INPUT, "item 2 fails");
    else
      assert_int_equal (slot->error.kind, ERROR_NONE);
    pool_release (pool, slot);
  }
  pool_free (pool);
  assert_int_equal (record.worked, 5);
  assert_int_equal (record.unread, 1);
}

static void
test_errors (void **state)
{
  (void) state;
  check_errors (0);
  check_errors (3);
}

/* A slot comes back clean. */
static void
test_reuse (void **state)
{
  struct record_of_work record = new_record ();
  struct pool *pool = new_pool (&record, 0);
  unsigned int i;

  (void) state;
  for (i = 0; i < 2 * SLOTS; i++) {
    struct slot *slot = pool_take (pool, false);

    assert_int_equal (slot->error.kind, ERROR_NONE);
    assert_false (slot->has_entry);
    error_set (&slot->error, ERROR_FAILED, 0, "used");
    slot->has_entry = true;
    pool_submit (pool, slot);
    pool_release (pool, pool_dequeue (pool, false));
  }
  pool_free (pool);
}

static void
test_buffers (void **state)
{
  struct record_of_work record = new_record ();
  struct pool *pool = new_pool (&record, 0);
  struct slot *slots[SLOTS];
  unsigned int i;

  (void) state;
  for (i = 0; i < SLOTS; i++) {
    slots[i] = pool_take (pool, false);
    assert_non_null (slots[i]);
    assert_int_equal ((uintptr_t) slots[i]->raw % PAGE_BYTES, 0);
    assert_int_equal ((uintptr_t) slots[i]->packed % PAGE_BYTES, 0);
    assert_true (slots[i]->packed_room >= 100);
    memset (slots[i]->raw, (int) i, RAW_BYTES);
    memset (slots[i]->packed, (int) i, slots[i]->packed_room);
  }
  assert_null (pool_take (pool, false));
  for (i = 0; i < SLOTS; i++) {
    assert_int_equal (slots[i]->raw[RAW_BYTES - 1], i);
    assert_int_equal (slots[i]->packed[0], i);
  }
  pool_free (pool);
}

static void
test_untake (void **state)
{
  struct record_of_work record = new_record ();
  struct pool *pool = new_pool (&record, 2);
  struct slot *slot = pool_take (pool, true);

  (void) state;
  fill (slot, 0);
  pool_submit (pool, slot);
  pool_untake (pool, pool_take (pool, true));
  pool_end_input (pool);
  slot = dequeue_patiently (pool);
  check_out (slot, 0);
  assert_int_equal (pool_left (pool), 0);
  pool_free (pool);
}

/* Each slot is delivered once, and taken again. */
static void
deliver_all (unsigned int threads)
{
  struct record_of_work record = new_record ();
  struct pool *pool = new_pool (&record, threads);
  uint64_t in = 0, out = 0;

  while (pool_left (pool) > 0) {
    struct slot *slot = in < ITEMS ? pool_take (pool, false) : NULL;

    if (slot != NULL) {
      fill (slot, in++);
      pool_submit (pool, slot);
      if (in == ITEMS)
        pool_end_input (pool);
      continue;
    }
    slot = pool_dequeue (pool, true);
    if (slot == NULL)
      continue;
    check_out (slot, out++);
    if (out % 5 == 0)
      pool_release (pool, slot);
    else
      pool_deliver (pool, slot);
  }
  pool_free (pool);
  assert_int_equal (out, ITEMS);
  for (out = 0; out < ITEMS; out++)
    assert_int_equal (record.delivered[out], out % 5 != 4);
}

static void
test_deliver (void **state)
{
  (void) state;
  deliver_all (0);
  deliver_all (1);
  deliver_all (4);
}

/* Let POOL's only worker work on item NUMBER and the next, and deliver both; all
 * deliveries are held.
 */
static void
deliver_two (struct record_of_work *record, struct pool *pool,
             uint64_t number)
{
  struct slot *slots[2];
  unsigned int i;

  atomic_store (&record->held_from, 0);

  for (i = 0; i < 2; i++) {
    slots[i] = pool_take (pool, true);
    fill (slots[i], number + i);
    pool_submit (pool, slots[i]);
    slots[i] = dequeue_patiently (pool);
    check_out (slots[i], number + i);
  }
  pool_deliver (pool, slots[0]);
  pool_deliver (pool, slots[1]);
}

/* The writer hears of a delivery that it has to see to, and of the last. */
static void
test_hears_of_delivery (void **state)
{
  struct record_of_work record = new_record ();
  struct pool *pool = new_pool (&record, 1);

  (void) state;
  deliver_two (&record, pool, 3);
  pool_end_input (pool);
  assert_null (pool_dequeue (pool, true));
  assert_int_equal (pool_left (pool), 2);
  /* From here on only a signal ends the wait. */
  atomic_store (&patient, true);
  atomic_store (&record.held_from, 4);
  assert_null (pool_dequeue (pool, true));
  assert_int_equal (pool_left (pool), 1);
  atomic_store (&record.held_from, UINT32_MAX);
  assert_null (pool_dequeue (pool, true));
  assert_int_equal (pool_left (pool), 0);
  atomic_store (&patient, false);
  assert_int_equal (record.delivered[3], 1);
  assert_int_equal (record.delivered[4], 1);
  pool_free (pool);
}

/* Deliveries go before other work, and those that have not begun are left
 * undone.
 */
static void
test_stop_before_delivery (void **state)
{
  struct record_of_work record = new_record ();
  struct pool *pool = new_pool (&record, 1);
  struct slot *slot;

  (void) state;
  deliver_two (&record, pool, 0);
  slot = pool_take (pool, true);
  fill (slot, 2);
  pool_submit (pool, slot);
  assert_null (pool_dequeue (pool, true));
  pool_stop (pool);
  atomic_store (&record.held_from, UINT32_MAX);
  pool_free (pool);
  assert_int_equal (record.worked, 2);
  assert_int_equal (record.delivered[1], 0);
}

static void *
blocked_reader_main (void *opaque)
{
  struct pool *pool = opaque;

  while (pool_take (pool, true) != NULL)
    ;
  return NULL;
}

/* Everybody who waits returns. */
static void
test_stop (void **state)
{
  struct record_of_work record = new_record ();
  struct pool *pool = new_pool (&record, 2);
  pthread_t reader;

  (void) state;
  assert_int_equal (pthread_create (&reader, NULL, blocked_reader_main, pool),
                    0);
  /* The reader holds all slots; none will come out. */
  assert_null (pool_dequeue (pool, true));
  pool_stop (pool);
  pthread_join (reader, NULL);
  assert_null (pool_dequeue (pool, true));
  assert_null (pool_take (pool, true));
  pool_free (pool);
}

static void
test_empty_input (void **state)
{
  unsigned int threads;

  (void) state;
  for (threads = 0; threads < 3; threads++) {
    struct record_of_work record = new_record ();
    struct pool *pool = new_pool (&record, threads);

    assert_true (pool_left (pool) > 0);
    assert_null (pool_dequeue (pool, false));
    pool_end_input (pool);
    assert_int_equal (pool_left (pool), 0);
    assert_null (pool_dequeue (pool, true));
    pool_free (pool);
  }
}

/* What was opened before the failure is closed. */
static void
test_context_fails (void **state)
{
  struct record_of_work record = new_record ();
  struct job job = job_of (&record);
  struct error err = { 0 };
  struct pool *pool = NULL;

  (void) state;
  record.open_limit = 2;
  assert_int_equal (pool_create (&job, NULL, 4, SLOTS, &pool, &err), -1);
  assert_error (&err, ERROR_FAILED, "no more contexts");
  assert_int_equal (record.closed, 2);
  pool_free (NULL);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_serial_twin),
    cmocka_unit_test (test_one_worker),
    cmocka_unit_test (test_many_workers),
    cmocka_unit_test (test_order_with_reader_thread),
    cmocka_unit_test (test_errors),
    cmocka_unit_test (test_reuse),
    cmocka_unit_test (test_buffers),
    cmocka_unit_test (test_untake),
    cmocka_unit_test (test_deliver),
    cmocka_unit_test (test_hears_of_delivery),
    cmocka_unit_test (test_stop_before_delivery),
    cmocka_unit_test (test_stop),
    cmocka_unit_test (test_empty_input),
    cmocka_unit_test (test_context_fails),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
