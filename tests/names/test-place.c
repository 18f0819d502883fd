/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test of src/names/place.c, place_open.c and probe.c. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/scratch.h"
#include "lib/assert_error.h"
#include "names/place.h"
#include "names/probe.h"

static void
test_same (void **state)
{
  struct error err = { 0 };
  struct file one, other, again;

  (void) state;
  scratch_open (scratch_file ("one", 10), DIRECT_IO_OFF, &one);
  scratch_open (scratch_file ("other", 10), DIRECT_IO_OFF, &other);
  assert_int_equal (file_open (one.name, FILE_READ, FILE_HOW (DIRECT_IO_OFF),
                               &again, &err), 0);
  assert_true (file_same (&one, &again));
  assert_false (file_same (&one, &other));
  scratch_close (&one);
  scratch_close (&other);
  scratch_close (&again);
}

static void
open_place (const char *path, struct place *place)
{
  struct error err = { 0 };

  assert_int_equal (place_open (path, place, &err), 0);
}

/* A name may be another link or a symbolic one; it is gone, or another file's. */
static void
test_names (void **state)
{
  char *name = strdup (scratch_file ("name", 10));
  char *second = strdup (scratch_path ("second"));
  struct error err = { 0 };
  struct place first, other;
  struct file file;

  (void) state;
  open_place (name, &first);
  open_place (second, &other);
  scratch_open (name, DIRECT_IO_OFF, &file);
  assert_int_equal (place_check (&first, &file, &err), 0);
  assert_int_equal (symlink (name, second), 0);
  assert_true (place_leads_to (&other, &file));
  assert_false (place_has (&other, &file));
  assert_int_equal (place_remove (&other, &file, &err), 0);
  assert_int_equal (unlink (second), 0);
  assert_int_equal (link (name, second), 0);
  assert_int_equal (place_remove (&first, &file, &err), 1);
  assert_true (place_has (&other, &file));
  assert_false (place_leads_to (&first, &file));
  scratch_file ("name", 10);
  assert_int_equal (place_remove (&first, &file, &err), 0);
  check_pattern_file (name, 10);
  assert_int_equal (place_check (&first, &file, &err), -1);
  assert_error (&err, ERROR_FAILED, "was removed or replaced");
  scratch_close (&file);
  place_close (&first);
  place_close (&other);
  free (name);
  free (second);
}

/* What is asked is asked of the folder that was opened, wherever it is. */
static void
test_folder_moves (void **state)
{
  char *folder = strdup (scratch_path ("folder"));
  char *moved = strdup (scratch_path ("moved"));
  char name[4096];
  struct error err = { 0 };
  struct place place, beside;
  struct file file;
  struct stat st;

  (void) state;
  assert_int_equal (mkdir (folder, 0700), 0);
  assert_true ((size_t) snprintf (name, sizeof name, "%s/name", folder) <
               sizeof name);
  open_place (name, &place);
  assert_int_equal (place_beside (&place, ".part", &beside, &err), 0);
  assert_string_equal (place_base (&beside), "name.part");
  assert_int_equal (place_create (&beside, FILE_HOW (DIRECT_IO_OFF), &file,
                                  &err), 1);
  assert_int_equal (rename (folder, moved), 0);
  assert_int_equal (mkdir (folder, 0700), 0);
  assert_true (place_has (&beside, &file));
  assert_int_equal (place_look (&place, &st, &err), 0);
  assert_int_equal (place_sync (&place, &err), 0);
  assert_int_equal (place_remove (&beside, &file, &err), 1);
  scratch_close (&file);
  place_close (&place);
  place_close (&place);
  assert_int_equal (rmdir (folder), 0);
  assert_int_equal (rmdir (moved), 0);
  free (folder);
  free (moved);
}

static void
refuse_place (const char *path, int errnum)
{
  struct error err = { 0 };
  struct place place;

  assert_int_equal (place_open (path, &place, &err), -1);
  assert_int_equal (err.errnum, errnum);
  place_close (&place);
}

static void
test_refused (void **state)
{
  char path[PLACE_PATH_BYTES + 10];
  struct error err = { 0 };
  struct place place, beside;

  (void) state;
  memset (path, 'n', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  refuse_place (path, ENAMETOOLONG);
  refuse_place ("", ENOENT);
  refuse_place ("/", EISDIR);
  refuse_place ("/nowhere/to/be/found", ENOENT);
  refuse_place ("/dev/null/name", ENOTDIR);
  path[PLACE_PATH_BYTES - 3] = '\0';
  open_place (path, &place);
  assert_int_equal (place_beside (&place, ".part", &beside, &err), -1);
  assert_int_equal (err.errnum, ENAMETOOLONG);
  place_close (&place);
}

static void
test_create (void **state)
{
  const char *path = scratch_path ("new");
  struct error err = { 0 };
  struct place place;
  struct file file, again;
  struct stat st;

  (void) state;
  open_place (path, &place);
  assert_int_equal (place_create (&place, FILE_HOW (DIRECT_IO_AUTO), &file,
                                  &err), 1);
  assert_int_equal (place_look (&place, &st, &err), 1);
  assert_int_equal (st.st_mode & 07777, 0600);
  assert_int_equal (place_create (&place, FILE_HOW (DIRECT_IO_AUTO), &again,
                                  &err), 0);
  assert_int_equal (again.fd, -1);
  scratch_close (&file);
  /* Nothing is created through a link that leads nowhere. */
  assert_int_equal (unlink (place.path), 0);
  assert_int_equal (symlink ("nowhere", place.path), 0);
  assert_int_equal (place_create (&place, FILE_HOW (DIRECT_IO_AUTO), &file,
                                  &err), 0);
  assert_int_equal (place_look (&place, &st, &err), 1);
  assert_true (S_ISLNK (st.st_mode));
  place_close (&place);
}

/* What stands under NAME is not ours, for reading nor for writing. */
static void
refuse_found (const char *name, const char *why)
{
  int update;

  for (update = 0; update < 2; update++) {
    struct error err = { 0 };
    struct place place;
    struct file file;

    open_place (name, &place);
    assert_int_equal (place_open_found (&place, NULL, update != 0,
                                        FILE_HOW (DIRECT_IO_AUTO), &file, &err),
                      PLACE_FOREIGN);
    assert_error (&err, ERROR_FAILED, why);
    file_close (&file);
    place_close (&place);
  }
}

static void
test_found (void **state)
{
  struct error err = { 0 };
  struct place place;
  struct file file;
  struct stat st;

  (void) state;
  open_place (scratch_path ("found"), &place);
  assert_int_equal (place_open_found (&place, NULL, true,
                                      FILE_HOW (DIRECT_IO_AUTO), &file, &err),
                    PLACE_NOTHING);
  scratch_file ("found", 5000);
  assert_int_equal (chmod (place.path, 0644), 0);
  assert_int_equal (place_open_found (&place, NULL, true,
                                      FILE_HOW (DIRECT_IO_AUTO), &file, &err),
                    PLACE_OURS);
  assert_int_equal (fcntl (file.fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE),
                    O_RDWR);
  /* To look at it changes nothing. */
  assert_int_equal (fstat (file.fd, &st), 0);
  assert_int_equal (st.st_mode & 07777, 0644);
  check_pattern_file (place.path, 5000);
  scratch_close (&file);
  place_close (&place);
}

/* Also a pipe that nobody has open does not make anybody wait. */
static void
test_foreign (void **state)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  char *target = strdup (scratch_file ("target", 5000));
  const char *name = scratch_path ("name");
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);

  (void) state;
  assert_int_equal (symlink (target, name), 0);
  refuse_found (name, "not a file of ours: it is a symbolic link");
  name = scratch_path ("name");
  assert_int_equal (symlink ("nowhere", name), 0);
  refuse_found (name, "not a file of ours: it is a symbolic link");
  name = scratch_path ("name");
  assert_int_equal (mkfifo (name, 0600), 0);
  refuse_found (name, "not a file of ours: it is not a regular file");
  name = scratch_path ("name");
  assert_int_equal (mkdir (name, 0700), 0);
  refuse_found (name, "not a file of ours: it is not a regular file");
  assert_int_equal (rmdir (name), 0);
  if (strlen (name) < sizeof address.sun_path) {
    strcpy (address.sun_path, name);
    assert_int_equal (bind (fd, (struct sockaddr *) &address,
                            sizeof address), 0);
    refuse_found (name, "not a file of ours: it is not a regular file");
  }
  close (fd);
  name = scratch_path ("name");
  assert_int_equal (link (target, name), 0);
  refuse_found (name, "not a file of ours: it has another name, too");
  check_pattern_file (target, 5000);
  free (target);
}

/* Somebody else's file is ours if it may be like another one, or in the folder
 * of its owner.
 */
static void
test_owners (void **state)
{
  struct error err = { 0 };
  struct place_owners owners = { .folder = true };
  struct place place;
  struct file file, like;

  (void) state;
  if (geteuid () != 0)
    skip ();
  scratch_open (scratch_file ("like", 10), DIRECT_IO_OFF, &like);
  open_place (scratch_file ("name", 10), &place);
  assert_int_equal (chown (place.path, 1234, 1234), 0);
  refuse_found (place.path, "not a file of ours: it belongs to another user");
  assert_int_equal (place_open_found (&place, &owners, false,
                                      FILE_HOW (DIRECT_IO_OFF), &file, &err),
                    PLACE_FOREIGN);
  file_close (&file);
  owners.like = &like;
  err = (struct error) { 0 };
  assert_int_equal (place_open_found (&place, &owners, false,
                                      FILE_HOW (DIRECT_IO_OFF), &file, &err),
                    PLACE_FOREIGN);
  file_close (&file);
  assert_int_equal (fchown (like.fd, 1234, 1234), 0);
  err = (struct error) { 0 };
  assert_int_equal (place_open_found (&place, &owners, false,
                                      FILE_HOW (DIRECT_IO_OFF), &file, &err),
                    PLACE_OURS);
  scratch_close (&file);
  scratch_close (&like);
  place_close (&place);
}

/* Nothing is left of what was tried, nor of an earlier time. */
static void
test_probe (void **state)
{
  struct error err = { 0 };
  struct place place;
  struct file file;
  uid_t uid = (uid_t) -1;

  (void) state;
  scratch_file ("name.probe", 0);
  open_place (scratch_path ("name"), &place);
  assert_int_equal (place_create (&place, FILE_HOW (DIRECT_IO_OFF), &file,
                                  &err), 1);
  assert_int_equal (probe_owner (&place, &uid, &err), 0);
  assert_int_equal (uid, geteuid ());
  assert_int_equal (probe_exchange (&place, &file, &err), 0);
  assert_true (place_has (&place, &file));
  scratch_close (&file);
  place_close (&place);
}

/* What is no such leftover stays. */
static void
test_probe_refused (void **state)
{
  const char *probe = scratch_file ("name.probe", 1);
  char *kept = strdup (probe);
  struct error err = { 0 };
  struct place place;
  uid_t uid;

  (void) state;
  open_place (scratch_path ("name"), &place);
  assert_int_equal (probe_owner (&place, &uid, &err), -1);
  assert_error (&err, ERROR_FAILED, "stands in the way");
  check_pattern_file (kept, 1);
  place_close (&place);
  free (kept);
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_same),
    cmocka_unit_test (test_names),
    cmocka_unit_test (test_folder_moves),
    cmocka_unit_test (test_refused),
    cmocka_unit_test (test_create),
    cmocka_unit_test (test_found),
    cmocka_unit_test (test_foreign),
    cmocka_unit_test (test_owners),
    cmocka_unit_test (test_probe),
    cmocka_unit_test (test_probe_refused),
  };

  return cmocka_run_group_tests (tests, scratch_setup, scratch_teardown);
}
