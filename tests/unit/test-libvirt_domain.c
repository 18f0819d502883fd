/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit tests of src/guest/libvirt_domain.c: name and uuid out of the XML. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/libvirt_header.h"

#define UUID "12345678-9abc-DEF0-1234-56789abcdef0"

/* In memory of exactly that size, so that a read past it is seen. */
static void
assert_identity (const char *xml, const char *expected_name,
                 const char *expected_uuid)
{
  size_t length = strlen (xml);
  char *copy = malloc (length + 1);
  char name[256], uuid[40];

  assert_non_null (copy);
  memcpy (copy + 1, xml, length);
  libvirt_domain_identity (copy + 1, length, name, uuid);
  free (copy);
  assert_string_equal (name, expected_name);
  assert_string_equal (uuid, expected_uuid);
}

static void
assert_name (const char *text, const char *expected)
{
  char xml[1024] = "<domain><name>";

  strcat (strcat (xml, text), "</name></domain>");
  assert_identity (xml, expected, "");
}

static void
test_plain (void **state)
{
  (void) state;
  assert_identity ("<domain type='kvm' id='1'>\n  <name>guest</name>\n"
                   "  <uuid>" UUID "</uuid>\n  <memory>1</memory>\n"
                   "</domain>\n", "guest", UUID);
  assert_identity ("<?xml version='1.0'?><!-- <domain> --><domain>"
                   "<uuid>" UUID "</uuid><name>\n g 1 \t</name>",
                   "g 1", UUID);
}

static void
test_nothing (void **state)
{
  (void) state;
  assert_identity ("", "", "");
  assert_identity ("<", "", "");
  assert_identity ("</", "", "");
  assert_identity ("<domain", "", "");
  assert_identity ("<domain>", "", "");
  assert_identity ("<domain><name", "", "");
  assert_identity ("<domain><name>", "", "");
  assert_identity ("<domain><name/><uuid/></domain>", "", "");
  assert_identity ("<domain/><name>guest</name>", "", "");
  assert_identity ("<name>guest</name>", "", "");
  assert_identity ("<network><name>guest</name></network>", "", "");
  assert_identity ("<domains><name>guest</name></domains>", "", "");
}

/* Names that are not the domain's. */
static void
test_nested (void **state)
{
  (void) state;
  assert_identity ("<domain><metadata><name>no</name><uuid>" UUID "</uuid>"
                   "<a/><b c='/>' d=\"<name>no</name>\"/></metadata>"
                   "<names>no</names><name>guest</name></domain>",
                   "guest", "");
  assert_identity ("<domain><!-- <name>no</name> --><title><![CDATA[</title>"
                   "<name>no</name>]]></title><?x <name>no</name>?>"
                   "<name x='y>z'>guest</name></domain>", "guest", "");
  assert_identity ("<domain></domain></a></b><name>no</name>", "", "");
  assert_identity ("<domain><metadata><x:name>no</x:name></metadata>"
                   "<x:name>no</x:name></domain>", "", "");
}

static void
test_first_counts (void **state)
{
  (void) state;
  assert_identity ("<domain><name>one</name><name>two</name></domain>",
                   "one", "");
}

static void
test_end_at_nul (void **state)
{
  static const char xml[] = "<domain>\0<name>no</name></domain>";
  char name[256], uuid[40];

  (void) state;
  libvirt_domain_identity (xml, sizeof xml, name, uuid);
  assert_string_equal (name, "");
}

static void
test_entities (void **state)
{
  (void) state;
  assert_name ("a&lt;b&gt;&amp;amp;&quot;&apos;", "a<b>&amp;\"'");
  assert_name ("&#65;&#x42;&#xe9;&#x20ac;&#x1f600;", "AB\xc3\xa9\xe2\x82\xac"
               "\xf0\x9f\x98\x80");
  assert_name ("&nbsp;&;&#;&#x;&#-5;&#x110000;&#xd800;&#0;&",
               "&nbsp;&;&#;&#x;&#-5;&#x110000;&#xd800;&#0;&");
}

/* What would move the cursor of a terminal does not get through. */
static void
test_control_characters (void **state)
{
  (void) state;
  assert_name ("a\x1b[2Jb&#27;c\x7f", "a?[2Jb?c?");
}

static void
test_long_names (void **state)
{
  char text[400] = "", expected[256] = "";

  (void) state;
  memset (text, 'n', 300);
  memset (expected, 'n', 255);
  assert_name (text, expected);

  memcpy (text + 254, "\xe2\x82\xac", 3);
  expected[254] = '\0';
  assert_name (text, expected);
  memcpy (text + 254, "&lt;", 4);
  memcpy (expected + 254, "<", 1);
  assert_name (text, expected);
}

static void
test_bad_uuids (void **state)
{
  (void) state;
  assert_identity ("<domain><uuid>1234</uuid></domain>", "", "");
  assert_identity ("<domain><uuid>" UUID "0</uuid></domain>", "", "");
  assert_identity ("<domain><uuid>x2345678-9abc-def0-1234-56789abcdef0</uuid>"
                   "</domain>", "", "");
}

/* Every prefix of a document is read within its bounds. */
static void
test_every_cut (void **state)
{
  static const char xml[] =
    "<?xml?><!--c--><domain a='b'><![CDATA[d]]><name>a&#x41;&amp;</name>"
    "<e f=\"g\"/><uuid>" UUID "</uuid></domain>";
  size_t length;

  (void) state;
  for (length = 0; length < sizeof xml; length++) {
    char name[256], uuid[40];
    char *copy = malloc (length + 1);

    assert_non_null (copy);
    memcpy (copy + 1, xml, length);
    libvirt_domain_identity (copy + 1, length, name, uuid);
    assert_true (strlen (name) <= 9 && strlen (uuid) % 36 == 0);
    free (copy);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_plain),
    cmocka_unit_test (test_nothing),
    cmocka_unit_test (test_nested),
    cmocka_unit_test (test_first_counts),
    cmocka_unit_test (test_end_at_nul),
    cmocka_unit_test (test_entities),
    cmocka_unit_test (test_control_characters),
    cmocka_unit_test (test_long_names),
    cmocka_unit_test (test_bad_uuids),
    cmocka_unit_test (test_every_cut),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
