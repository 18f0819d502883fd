/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/names/draft.c.  Calls of the system are replaced here, to see their
 * order, to change names in between, and to be a poorer file system.
 */

#undef _FORTIFY_SOURCE          /* its inline functions bear the same names */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/scratch.h"
#include "lib/assert_error.h"
#include "names/draft.h"

static struct {
  void (*before_lock) (void);
  void (*before_rename) (void);
  bool no_flags;                /* renames take none */
  bool no_links;                /* nor are there second names */
  bool own_inodes;              /* each name has an inode number of its own, and
                                 * links are not counted */
  bool failing;                 /* folders cannot be flushed */
  bool no_direct;               /* there is no O_DIRECT */
  char calls[256];              /* what was done */
} world;

static void
note (const char *call)
{
  size_t length = strlen (world.calls);

  snprintf (world.calls + length, sizeof world.calls - length, "%s ", call);
}

int
fcntl (int fd, int command, ...)
{
  va_list arguments;
  void *argument;

  va_start (arguments, command);
  argument = va_arg (arguments, void *);
  va_end (arguments);
  if (command == F_OFD_SETLK && world.before_lock != NULL)
    world.before_lock ();
  if (command == F_SETFL && world.no_direct &&
      ((uintptr_t) argument & O_DIRECT) != 0) {
    errno = EINVAL;
    return -1;
  }
  return (int) syscall (SYS_fcntl, fd, command, argument);
}

int
fsync (int fd)
{
  struct stat st;
  bool folder = fstat (fd, &st) == 0 && S_ISDIR (st.st_mode);

  note (folder ? "folder" : "file");
  if (folder && world.failing) {
    errno = EIO;
    return -1;
  }
  return (int) syscall (SYS_fsync, fd);
}

int
fdatasync (int fd)
{
  return fsync (fd);
}

int
renameat2 (int from_folder, const char *from, int to_folder, const char *to,
           unsigned int flags)
{
  note (flags == RENAME_EXCHANGE ? "exchange"
        : flags == RENAME_NOREPLACE ? "new" : "over");
  if (world.before_rename != NULL)
    world.before_rename ();
  if (world.no_flags && flags != 0) {
    errno = EINVAL;
    return -1;
  }
  return (int) syscall (SYS_renameat2, from_folder, from, to_folder, to,
                        flags);
}

int
linkat (int from_folder, const char *from, int to_folder, const char *to,
        int flags)
{
  note ("link");
  if (world.no_links) {
    errno = EPERM;
    return -1;
  }
  return (int) syscall (SYS_linkat, from_folder, from, to_folder, to, flags);
}

int
unlinkat (int folder, const char *name, int flags)
{
  note ("unlink");
  return (int) syscall (SYS_unlinkat, folder, name, flags);
}

static int
real_stat (int folder, const char *name, struct stat *st, int flags)
{
  return (int) syscall (SYS_newfstatat, folder, name, st, flags);
}

int
fstatat (int folder, const char *name, struct stat *st, int flags)
{
  int result = real_stat (folder, name, st, flags);

  if (result == 0 && world.own_inodes && strstr (name, ".part") == NULL) {
    st->st_ino ^= 1;
    st->st_nlink = 1;
  }
  return result;
}

int
fstat (int fd, struct stat *st)
{
  int result = real_stat (fd, "", st, AT_EMPTY_PATH);

  /* The name that it was opened by is gone. */
  if (result == 0 && world.own_inodes)
    st->st_nlink = strstr (world.calls, "unlink") != NULL ? 0 : 1;
  return result;
}

static struct draft draft;
static struct file file;
static char *path, *part;

static int
judge_empty (void *opaque, struct file *leftover, struct error *err)
{
  (void) opaque;
  if (leftover->size == 0)
    return 0;
  return error_set (err, ERROR_FAILED, EEXIST, "is not empty");
}

static const struct draft_leftover leftover = { .judge = judge_empty };

/* Nothing stands there yet, and the world is a good one. */
static int
begin (void **state)
{
  struct error err = { 0 };

  (void) state;
  memset (&world, 0, sizeof world);
  path = strdup (scratch_path ("name"));
  part = strdup (scratch_path ("name.part"));
  file = (struct file) FILE_CLOSED;
  assert_int_equal (draft_open (path, &draft, &err), 0);
  return 0;
}

static int
end (void **state)
{
  (void) state;
  memset (&world, 0, sizeof world);
  file_close (&file);
  draft_close (&draft);
  free (path);
  free (part);
  return 0;
}

static void
create (void)
{
  struct error err = { 0 };

  assert_int_equal (draft_create (&draft, &leftover, FILE_HOW (DIRECT_IO_OFF),
                                  &file, &err), 0);
  assert_int_equal (ftruncate (file.fd, 3), 0);
  world.calls[0] = '\0';
}

static void
expect_published (enum draft_way way)
{
  struct error err = { 0 };

  assert_int_equal (draft_publish (&draft, way, NULL, &err), 0);
  draft_drop (&draft);
  assert_int_equal (access (path, F_OK), 0);
  assert_int_equal (access (part, F_OK), -1);
}

static void
expect_refused (enum draft_way way, const char *what)
{
  struct error err = { 0 };

  assert_int_equal (draft_publish (&draft, way, NULL, &err), -1);
  assert_error (&err, ERROR_FAILED, what);
  draft_drop (&draft);
}

static void
test_new (void **state)
{
  (void) state;
  create ();
  expect_published (DRAFT_NEW);
  assert_string_equal (world.calls, "file new folder ");
}

static void
test_over (void **state)
{
  (void) state;
  scratch_file ("name", 10);
  create ();
  expect_published (DRAFT_OVER);
  assert_string_equal (world.calls, "file folder over folder ");
}

/* What came meanwhile stays, and the draft goes. */
static void
test_name_taken (void **state)
{
  (void) state;
  create ();
  scratch_file ("name", 10);
  expect_refused (DRAFT_NEW, "cannot be created");
  check_pattern_file (path, 10);
  assert_int_equal (access (part, F_OK), -1);

  /* Also a link that leads nowhere, also where renames take no flags. */
  for (int i = 0; i < 3; i++) {

    assert_int_equal (unlink (path), 0);
    assert_int_equal (symlink ("nowhere", path), 0);
    world.no_flags = i > 0;
    world.no_links = i > 1;
    file_close (&file);
    create ();
    expect_refused (DRAFT_NEW, "cannot be created");
    assert_int_equal (access (part, F_OK), -1);
  }
}

/* Without flags of rename, without links, and where both count for little. */
static void
test_new_elsewhere (void **state)
{
  (void) state;
  create ();
  world.no_flags = true;
  expect_published (DRAFT_NEW);
  assert_string_equal (world.calls, "file new link unlink folder ");
}

static void
test_new_without_links (void **state)
{
  (void) state;
  create ();
  world.no_flags = world.no_links = true;
  expect_published (DRAFT_NEW);
  assert_string_equal (world.calls, "file new link over folder ");
}

static void
test_new_own_inodes (void **state)
{
  struct error err = { 0 };
  struct stat st;

  (void) state;
  create ();
  world.no_flags = world.own_inodes = true;
  if (fstat (file.fd, &st) < 0 || st.st_nlink != 1)
    skip ();
  expect_published (DRAFT_NEW);
  assert_int_equal (draft_check_linked (&draft, &err), 0);
}

/* Where links are counted a file without any is gone. */
static void
test_removed (void **state)
{
  struct error err = { 0 };

  (void) state;
  create ();
  expect_published (DRAFT_NEW);
  assert_int_equal (draft_check_linked (&draft, &err), 0);
  assert_int_equal (draft_check_name (&draft, &err), 0);
  assert_int_equal (unlink (path), 0);
  assert_int_equal (draft_check_linked (&draft, &err), -1);
  assert_error (&err, ERROR_FAILED, "was removed while it was written");
}

static void
swap_part (void)
{
  world.before_lock = world.before_rename = NULL;
  scratch_file ("name.part", 20);
}

/* Another file has the name by the time that this one is locked. */
static void
test_swapped_before_lock (void **state)
{
  struct error err = { 0 };

  (void) state;
  world.before_lock = swap_part;
  assert_int_equal (draft_create (&draft, &leftover, FILE_HOW (DIRECT_IO_OFF),
                                  &file, &err), -1);
  assert_error (&err, ERROR_FAILED, "another iopress has just used it");
  draft_drop (&draft);
  check_pattern_file (part, 20);
}

static void
test_leftover_swapped_before_lock (void **state)
{
  (void) state;
  scratch_file ("name.part", 0);
  test_swapped_before_lock (state);
}

/* By the time that it is to be published. */
static void
test_swapped (void **state)
{
  enum draft_way way;

  for (way = DRAFT_NEW; way <= DRAFT_OVER; way++) {

    file_close (&file);
    unlink (part);
    create ();
    swap_part ();
    expect_refused (way, "was removed or replaced while it was written");
    check_pattern_file (part, 20);
    assert_int_equal (access (path, F_OK), -1);
  }
  (void) state;
}

/* In the very instant before it gets the name: that cannot be helped, but is not
 * taken for success.
 */
static void
test_swapped_before_rename (void **state)
{
  (void) state;
  create ();
  world.before_rename = swap_part;
  expect_refused (DRAFT_NEW, "was removed while it was written");
  check_pattern_file (path, 20);
}

static void
test_folder_fails (void **state)
{
  (void) state;
  create ();
  world.failing = true;
  expect_refused (DRAFT_NEW, "cannot flush the folder");
  assert_int_equal (access (path, F_OK), -1);
  world.failing = false;
  end (state);
  begin (state);
  scratch_file ("name", 10);
  create ();
  world.failing = true;
  expect_refused (DRAFT_OVER, "cannot flush the folder");
  check_pattern_file (path, 10);
  assert_int_equal (access (part, F_OK), -1);
}

/* What has the name is not to be exchanged from the call on that is COUNT. */
struct judgement {
  int calls, refused;
  struct draft *draft;
};

static int
judge (void *opaque, const struct place *where, struct error *err)
{
  struct judgement *judgement = opaque;

  assert_ptr_equal (where, judgement->calls++ == 0 ? &judgement->draft->place
                    : &judgement->draft->part);
  return judgement->calls != judgement->refused ? 0
    : error_set (err, ERROR_FAILED, 0, "refused");
}

static int
publish_exchanged (int refused, struct error *err)
{
  struct judgement judgement = { .refused = refused, .draft = &draft };
  struct draft_check check = { .check = judge, .opaque = &judgement };
  int result;

  scratch_file ("name", 10);
  create ();
  result = draft_publish (&draft, DRAFT_EXCHANGED, &check, err);
  draft_drop (&draft);
  return result;
}

static void
test_exchanged (void **state)
{
  struct error err = { 0 };

  (void) state;
  assert_int_equal (publish_exchanged (0, &err), 0);
  assert_string_equal (world.calls, "file folder exchange folder ");
  check_pattern_file (part, 10);
  assert_true (place_has (&draft.place, &file));
}

static void
test_exchange_refused (void **state)
{
  struct error err = { 0 };

  (void) state;
  assert_int_equal (publish_exchanged (1, &err), -1);
  assert_string_equal (world.calls, "file folder unlink ");
  check_pattern_file (path, 10);
  assert_int_equal (access (part, F_OK), -1);
}

static void
test_exchange_taken_back (void **state)
{
  struct error err = { 0 };

  (void) state;
  assert_int_equal (publish_exchanged (2, &err), -1);
  assert_string_equal (world.calls, "file folder exchange exchange unlink ");
  check_pattern_file (path, 10);
  assert_int_equal (access (part, F_OK), -1);
}

/* What an earlier run left is not written over, but taken away. */
static void
test_leftovers (void **state)
{
  struct error err = { 0 };
  struct file before;

  (void) state;
  scratch_open (scratch_file ("name.part", 0), DIRECT_IO_OFF, &before);
  create ();
  assert_false (file_same (&before, &file));
  draft_drop (&draft);
  scratch_close (&before);
  scratch_close (&file);

  scratch_file ("name.part", 30);
  assert_int_equal (draft_create (&draft, &leftover, FILE_HOW (DIRECT_IO_OFF),
                                  &file, &err), -1);
  assert_error (&err, ERROR_FAILED, "is not empty");
  draft_drop (&draft);
  check_pattern_file (part, 30);

  err = (struct error) { 0 };
  assert_int_equal (draft_take_up (&draft, FILE_HOW (DIRECT_IO_OFF), &file,
                                   &err), PLACE_OURS);
  check_pattern_file (part, 30);
  expect_published (DRAFT_NEW);
  check_pattern_file (path, 30);
}

/* What was created and cannot be used is not left. */
static void
test_useless (void **state)
{
  struct error err = { 0 };

  (void) state;
  world.no_direct = true;
  assert_int_equal (draft_create (&draft, &leftover, FILE_HOW (DIRECT_IO_ON),
                                  &file, &err), -1);
  assert_error (&err, ERROR_FAILED, "direct I/O is not possible here");
  assert_int_equal (access (part, F_OK), -1);
}

static void
test_in_use (void **state)
{
  struct error err = { 0 };
  struct file other;

  (void) state;
  scratch_open (scratch_file ("name.part", 0), DIRECT_IO_OFF, &other);
  assert_int_equal (file_lock (&other, true, &err), 0);
  assert_int_equal (draft_create (&draft, &leftover, FILE_HOW (DIRECT_IO_OFF),
                                  &file, &err), -1);
  assert_error (&err, ERROR_FAILED, "another iopress is using it");
  draft_drop (&draft);
  check_pattern_file (part, 0);
  scratch_close (&other);
}

/* A kill has left both names; other pairs are not that. */
static void
test_finish_naming (void **state)
{
  struct error err = { 0 };

  (void) state;
  scratch_file ("name.part", 10);
  assert_int_equal (draft_finish_naming (&draft, &err), 0);
  check_pattern_file (part, 10);
  assert_int_equal (symlink (part, path), 0);
  assert_int_equal (draft_finish_naming (&draft, &err), 0);
  check_pattern_file (part, 10);
  assert_int_equal (unlink (path), 0);
  assert_int_equal (link (part, path), 0);
  assert_int_equal (draft_finish_naming (&draft, &err), 0);
  check_pattern_file (path, 10);
  assert_int_equal (access (part, F_OK), -1);
}

#define TEST(function) cmocka_unit_test_setup_teardown (function, begin, end)

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    TEST (test_new),
    TEST (test_over),
    TEST (test_name_taken),
    TEST (test_new_elsewhere),
    TEST (test_new_without_links),
    TEST (test_new_own_inodes),
    TEST (test_removed),
    TEST (test_swapped_before_lock),
    TEST (test_leftover_swapped_before_lock),
    TEST (test_swapped),
    TEST (test_swapped_before_rename),
    TEST (test_folder_fails),
    TEST (test_exchanged),
    TEST (test_exchange_refused),
    TEST (test_exchange_taken_back),
    TEST (test_leftovers),
    TEST (test_useless),
    TEST (test_in_use),
    TEST (test_finish_naming),
  };

  return cmocka_run_group_tests (tests, scratch_setup, scratch_teardown);
}
