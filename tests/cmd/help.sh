#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Help goes to standard output and says what the verb's options are.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

iopress --help >"$work/help"
sed -n 's/^  \([a-z][a-z-]*\)  *[a-z].*/\1/p' "$work/help" >"$work/verbs"
grep -q -x save "$work/verbs" || fail "--help does not list save"
while read -r verb <&5; do
  # Says what the program says whose place it takes.
  test "$verb" != iohelper || continue
  expect_exit 0 iopress $verb --help >"$work/$verb"
  test ! -s "$work/stderr" || fail "$verb --help writes to standard error"
  grep -q "^Usage: iopress $verb " "$work/$verb" || fail "$verb has no usage"
  grep -q -e '--plugin-dir=DIR' "$work/$verb" ||
    fail "$verb --help lacks the common options"
  awk 'length > 80 { exit 1 }' "$work/$verb" || fail "$verb: long lines"
done 5<"$work/verbs"
for option in --codec --chunk-size --exact --format --force --image-id; do
  grep -q -e "$option" "$work/save" || fail "save --help lacks $option"
done
