/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trust in the compiled-in plugin folder, which the test moves about. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char compiled_in[256];

#undef PLUGIN_FOLDER
#define PLUGIN_FOLDER compiled_in
#include "plugin/trust.c"

static char base[128];

static int
make_base (void **state)
{
  (void) state;
  strcpy (base, "/tmp/iopress-trust-XXXXXX");
  if (mkdtemp (base) == NULL || chmod (base, 0755) == -1)
    return -1;
  snprintf (compiled_in, sizeof compiled_in, "%s/plugins", base);
  return mkdir (compiled_in, 0755);
}

static int
remove_base (void **state)
{
  char link[256];

  (void) state;
  snprintf (link, sizeof link, "%s/link", base);
  unlink (link);
  snprintf (compiled_in, sizeof compiled_in, "%s/plugins", base);
  rmdir (compiled_in);
  return rmdir (base);
}

static int
check (const char *folder, struct error *err)
{
  char resolved[PATH_MAX];

  memset (err, 0, sizeof *err);
  return plugin_folder_check (folder, resolved, err);
}

/* The compiled-in folder must be root's, and so must /tmp be. */
static void
require_root (void)
{
  struct stat status;

  if (geteuid () != 0 || lstat ("/tmp", &status) == -1 ||
      status.st_uid != 0)
    skip ();
}

static void
test_owner (void **state)
{
  uid_t user = geteuid ();
  struct error err;

  (void) state;
  if (user == 0) {
    assert_int_equal (chown (compiled_in, 12345, 0), 0);
    assert_int_equal (check (compiled_in, &err), -1);
    assert_int_equal (seteuid (12345), 0);
  }
  assert_int_equal (check (compiled_in, &err), 0);
  assert_int_equal (check (NULL, &err), -1);
  assert_non_null (strstr (err.what, "belongs to user"));
  assert_int_equal (seteuid (user), 0);
}

static void
test_folders_above (void **state)
{
  struct error err;

  (void) state;
  require_root ();
  assert_int_equal (check (NULL, &err), 0);
  assert_int_equal (chmod (base, 0775), 0);
  assert_int_equal (check (NULL, &err), -1);
  assert_string_equal (err.subject, base);
  assert_non_null (strstr (err.what, "writable by others"));
  assert_int_equal (check (compiled_in, &err), 0);
  assert_int_equal (chmod (base, 01777), 0);
  assert_int_equal (check (NULL, &err), 0);
  assert_int_equal (chmod (base, 0755), 0);
  assert_int_equal (chown (base, 12345, 0), 0);
  assert_int_equal (check (NULL, &err), -1);
  assert_non_null (strstr (err.what, "belongs to user 12345"));
}

/* A link is followed once, and what it leads to is checked. */
static void
test_links (void **state)
{
  char target[256], resolved[PATH_MAX];
  struct error err = { 0 };

  (void) state;
  require_root ();
  strcpy (target, compiled_in);
  snprintf (compiled_in, sizeof compiled_in, "%s/link", base);
  assert_int_equal (symlink ("plugins", compiled_in), 0);
  assert_int_equal (plugin_folder_check (NULL, resolved, &err), 0);
  assert_string_equal (resolved, target);
  assert_int_equal (chmod (target, 0777), 0);
  assert_int_equal (check (NULL, &err), -1);
  assert_string_equal (err.subject, target);
}

#define IN_BASE(test) \
  cmocka_unit_test_setup_teardown (test, make_base, remove_base)

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    IN_BASE (test_owner),
    IN_BASE (test_folders_above),
    IN_BASE (test_links),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
