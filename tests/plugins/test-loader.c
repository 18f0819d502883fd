/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loading plugins: trust rules, ABI checks, listing a folder. */

#include <config.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "plugin/loader.h"
#include "private-folder.h"

static struct private_folder folder;

static int
make_folder (void **state)
{
  (void) state;
  private_folder_make (&folder);
  return 0;
}

static int
remove_folder (void **state)
{
  (void) state;
  private_folder_remove (&folder);
  return 0;
}

/* The path of codec NAME in the folder; a static buffer. */
static const char *
path_of (const char *name)
{
  static char path[512];

  snprintf (path, sizeof path, "%s/%s.so", folder.path, name);
  return path;
}

static void
install (const char *module, const char *name)
{
  char from[4096], file[64];

  snprintf (from, sizeof from, "%s/%s.so", TEST_MODULE_FOLDER, module);
  snprintf (file, sizeof file, "%s.so", name);
  if (private_folder_copy (&folder, from, file) == -1)
    fail_msg ("cannot copy %s: %s", from, strerror (errno));
}

static void
assert_loads (const char *name)
{
  struct error err = { 0 };
  struct codec *codec = NULL;

  if (codec_load (folder.path, name, &codec, &err) == -1)
    fail_msg ("%s: %s", name, err.what);
  assert_string_equal (codec->ops.name, name);
  assert_string_equal (codec->path, path_of (name));
  codec_unload (codec);
}

static void
assert_refused (const char *from, const char *name, const char *message)
{
  struct error err = { 0 };
  struct codec *codec = NULL;

  assert_int_equal (codec_load (from, name, &codec, &err), -1);
  assert_null (codec);
  assert_int_equal (err.kind, ERROR_FAILED);
  if (strstr (err.what, message) == NULL)
    fail_msg ("%s: \"%s\" instead of \"%s\"", name, err.what, message);
}

static void
assert_hint (const char *from, const char *name, const char *hint)
{
  struct error err = { 0 };
  struct codec *codec = NULL;

  assert_int_equal (codec_load (from, name, &codec, &err), -1);
  assert_string_equal (err.subject, path_of (name));
  if (strstr (err.hint, hint) == NULL)
    fail_msg ("%s: \"%s\" instead of \"%s\"", name, err.hint, hint);
}

static void
assert_variant_refused (const char *name, const char *message)
{
  install ("variant", name);
  assert_refused (folder.path, name, message);
}

static void
test_good (void **state)
{
  (void) state;
  install ("variant", "good");
  assert_loads ("good");
  install ("variant", "a-name-of-15-ch");
  assert_loads ("a-name-of-15-ch");
}

static void
test_members_are_required (void **state)
{
  (void) state;
  assert_variant_refused ("no-name", "must have a .name");
  assert_variant_refused ("no-version", "must have a .version function");
  assert_variant_refused ("no-bound", "must have a .bound function");
  assert_variant_refused ("no-open", "must have a .open function");
  assert_variant_refused ("no-close", "must have a .close function");
  assert_variant_refused ("no-compress", "must have a .compress function");
  assert_variant_refused ("no-decompress",
                          "must have a .decompress function");
}

static void
test_old_binary (void **state)
{
  struct error err = { 0 };
  struct codec *codec = NULL;

  (void) state;
  install ("variant", "old");
  assert_int_equal (codec_load (folder.path, "old", &codec, &err), 0);
  /* What lies behind the old struct is not a member of it. */
  assert_null (codec->ops.error_text);
  assert_non_null (codec->ops.decompress);
  codec_unload (codec);
}

static void
test_struct_sizes (void **state)
{
  (void) state;
  install ("variant", "newer");
  assert_loads ("newer");
  assert_variant_refused ("too-old", "has no room for .decompress");
  assert_variant_refused ("nameless",
                          ".struct_size of 8 has no room for .name");
  assert_variant_refused ("cut", "IOPRESS_REGISTER_CODEC");
}

static void
test_values (void **state)
{
  (void) state;
  assert_variant_refused ("later-abi", "built for ABI 2");
  assert_hint (folder.path, "later-abi", "newer iopress");
  assert_hint (folder.path, "later-abi", "build it with");
  assert_variant_refused ("earlier-abi", "IOPRESS_REGISTER_CODEC: its .abi "
                          "is 0");
  assert_variant_refused ("other-name", "calls itself \"good\"");
  assert_variant_refused ("bad-levels", ".level_default (10)");
  assert_variant_refused ("odd-chunk", "not 100000");
  assert_variant_refused ("small-chunk", "not 32768");
  assert_variant_refused ("large-chunk", "not 33554432");
}

/* What is not as long as it says is not believed. */
static void
test_lies_about_sizes (void **state)
{
  (void) state;
  assert_variant_refused ("endless", "the 1073741824 bytes that it says");
  assert_variant_refused ("overlong", ".set_level is no function");
  assert_variant_refused ("data", ".is_frame is no function");
  assert_variant_refused ("nowhere", "static struct iopress_codec");
}

static void
test_parameters (void **state)
{
  struct codec_choice choice;
  struct error err = { 0 };
  struct codec *codec = NULL;

  (void) state;
  assert_variant_refused ("wrong-key", "parameter 1 a static .key");
  assert_variant_refused ("wrong-type", "parameter 1 a .type");
  assert_variant_refused ("wrong-range", "parameter 1 a .minimum");
  assert_variant_refused ("wrong-choice", "parameter 1 static words");
  assert_variant_refused ("wrong-help", "parameter 1 a static line");
  assert_variant_refused ("wrong-size", ".parameter_size is 8");
  assert_variant_refused ("wrong-distance", ".parameter_size is 1073741824");
  assert_variant_refused ("wrong-place", "static array as .parameters");
  assert_variant_refused ("wrong-twice", "parameter 2 a .key of its own");
  assert_variant_refused ("wrong-end", "with a .key of NULL");
  install ("variant", "long-parameter");
  assert_int_equal (codec_load (folder.path, "long-parameter", &codec, &err),
                    0);
  assert_int_equal (codec_choice_parse ("long-parameter,size=-1,fast",
                                        &choice, &err), 0);
  assert_int_equal (codec_choice_check (codec, &choice, &err), 0);
  codec_unload (codec);
}

static void
test_not_a_plugin (void **state)
{
  FILE *file;

  (void) state;
  install ("empty", "empty");
  assert_refused (folder.path, "empty", "exports no iopress_codec_entry");
  assert_hint (folder.path, "empty", "IOPRESS_REGISTER_CODEC");
  assert_variant_refused ("null", "its iopress_codec_entry returns NULL");
  file = fopen (path_of ("text"), "w");
  assert_non_null (file);
  fputs ("not a shared object\n", file);
  fclose (file);
  assert_int_equal (chmod (path_of ("text"), 0644), 0);
  assert_refused (folder.path, "text", "cannot load plugin");
}

static void
test_missing (void **state)
{
  struct error err = { 0 };
  struct codec *codec = NULL;

  (void) state;
  assert_int_equal (codec_load (folder.path, "absent", &codec, &err), -1);
  assert_int_equal (err.errnum, ENOENT);
  assert_string_equal (err.subject, path_of ("absent"));
  assert_non_null (strstr (err.hint, "\"absent\""));
  assert_refused ("/nonexistent/folder", "good", "plugin folder");
}

static void
test_names (void **state)
{
  static const char *const bad[] = {
    "", ".", "..", "../good", "good.so", "a/b", "Good", "a_b", "good ",
    "a-name-of-16-chr", "\x80", "good\n",
  };
  size_t i;

  (void) state;
  install ("variant", "good");
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_refused (folder.path, bad[i], "a codec name is");
  install ("variant", "auto");
  assert_refused (folder.path, "auto", "reserved");
  install ("variant", "stored");
  assert_refused (folder.path, "stored", "reserved");
}

static void
test_writable_file (void **state)
{
  (void) state;
  install ("variant", "good");
  assert_int_equal (chmod (path_of ("good"), 0757), 0);
  assert_refused (folder.path, "good", "writable by others");
  assert_int_equal (chmod (path_of ("good"), 0775), 0);
  assert_refused (folder.path, "good", "writable by others");
  assert_int_equal (chmod (path_of ("good"), 0755), 0);
  assert_loads ("good");
}

static void
test_writable_folder (void **state)
{
  (void) state;
  install ("variant", "good");
  assert_int_equal (chmod (folder.path, 0777), 0);
  assert_refused (folder.path, "good", "writable by others");
  assert_int_equal (chmod (folder.path, 01777), 0);
  assert_refused (folder.path, "good", "writable by others");
  assert_int_equal (chmod (folder.path, 0755), 0);
  assert_loads ("good");
}

static void
test_kind_of_file (void **state)
{
  (void) state;
  install ("variant", "good");
  assert_int_equal (symlink ("good.so", path_of ("link")), 0);
  assert_refused (folder.path, "link", "regular file");
  assert_int_equal (mkfifo (path_of ("pipe"), 0600), 0);
  assert_refused (folder.path, "pipe", "regular file");
  assert_refused (path_of ("good"), "good", "not a folder");
  assert_refused ("plugins", "good", "absolute");
  assert_refused ("", "good", "absolute");
}

static void
test_owner (void **state)
{
  (void) state;
  if (geteuid () != 0)
    skip ();
  install ("variant", "good");
  assert_int_equal (chown (path_of ("good"), 12345, 0), 0);
  assert_refused (folder.path, "good", "belongs to user 12345");
  assert_int_equal (chown (path_of ("good"), 0, 12345), 0);
  assert_loads ("good");
  assert_int_equal (chown (folder.path, 12345, 0), 0);
  assert_refused (folder.path, "good", "belongs to user 12345");
}

/* What codec_each showed, as one text. */
static char seen[512];

static int
note (void *opaque, const char *name, const struct codec *codec,
      const struct error *why)
{
  int *left = opaque;
  size_t used = strlen (seen);

  assert_true ((codec == NULL) == (why != NULL));
  snprintf (seen + used, sizeof seen - used, "%s%s ", name,
            codec != NULL ? "" : "!");
  return --*left == 0;
}

static void
test_each (void **state)
{
  struct error err = { 0 };
  int left = 100;

  (void) state;
  install ("variant", "b");
  install ("variant", "a-b");
  install ("variant", "a");
  install ("variant", "no-compress");
  install ("variant", "Capital");
  install ("variant", "c.d");
  seen[0] = '\0';
  assert_int_equal (codec_each (folder.path, note, &left, &err), 0);
  assert_string_equal (seen, "a a-b b no-compress! ");
  seen[0] = '\0';
  left = 2;
  assert_int_equal (codec_each (folder.path, note, &left, &err), -1);
  assert_string_equal (seen, "a a-b ");
  assert_int_equal (err.kind, ERROR_FAILED);
}

/* One that cannot be loaded, one that cannot tell, and one that is too old
 * to be asked are no obstacle.
 */
static void
test_find_by_frame (void **state)
{
  char name[IOPRESS_CODEC_NAME_MAX + 1];
  struct error err = { 0 };

  (void) state;
  install ("variant", "a");
  install ("variant", "frame-old");
  install ("variant", "no-compress");
  assert_int_equal (codec_find_by_frame (folder.path, "Fr", 2, name, &err),
                    0);
  assert_string_equal (name, "");
  install ("variant", "frame-b");
  assert_int_equal (codec_find_by_frame (folder.path, "Fr", 2, name, &err),
                    0);
  assert_string_equal (name, "frame-b");
  assert_int_equal (codec_find_by_frame (folder.path, "fr", 2, name, &err),
                    0);
  assert_string_equal (name, "");
  /* Of two that say so neither is believed. */
  install ("variant", "frame-c");
  assert_int_equal (codec_find_by_frame (folder.path, "Fr", 2, name, &err),
                    0);
  assert_string_equal (name, "");
  assert_int_equal (chmod (folder.path, 0777), 0);
  assert_int_equal (codec_find_by_frame (folder.path, "Fr", 2, name, &err),
                    -1);
}

static void
test_each_untrusted (void **state)
{
  struct error err = { 0 };
  int left = 100;

  (void) state;
  install ("variant", "good");
  assert_int_equal (chmod (folder.path, 0777), 0);
  seen[0] = '\0';
  assert_int_equal (codec_each (folder.path, note, &left, &err), -1);
  assert_string_equal (seen, "");
  assert_non_null (strstr (err.what, "writable by others"));
}

#define IN_FOLDER(test) \
  cmocka_unit_test_setup_teardown (test, make_folder, remove_folder)

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    IN_FOLDER (test_good),
    IN_FOLDER (test_members_are_required),
    IN_FOLDER (test_old_binary),
    IN_FOLDER (test_struct_sizes),
    IN_FOLDER (test_values),
    IN_FOLDER (test_lies_about_sizes),
    IN_FOLDER (test_parameters),
    IN_FOLDER (test_not_a_plugin),
    IN_FOLDER (test_missing),
    IN_FOLDER (test_names),
    IN_FOLDER (test_writable_file),
    IN_FOLDER (test_writable_folder),
    IN_FOLDER (test_kind_of_file),
    IN_FOLDER (test_owner),
    IN_FOLDER (test_each),
    IN_FOLDER (test_find_by_frame),
    IN_FOLDER (test_each_untrusted),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
