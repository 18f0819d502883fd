#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --version prints name and version on standard output, and with -v what this
# build and this kernel give of the sandbox.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

expect_exit 0 iopress --version >"$work/out"
grep -E -x -q 'iopress [0-9]+\.[0-9]+(\.[0-9]+)?' "$work/out" ||
  fail "--version says: $(cat "$work/out")"

for option in -v --verbose; do
  expect_exit 0 iopress --version $option >"$work/more"
  head -n 1 "$work/more" | cmp - "$work/out"
  sed 1d "$work/more" >"$work/lines"
  for what in 'codecs get memory only' 'system calls are limited' \
              'privileges are given up' \
              'files are closed to it'; do
    grep -E -x -q "$what: (yes|no, this .*)" "$work/lines" ||
      fail "nothing is said of: $what"
  done
  ! grep -E -v ': (yes|no, this )' "$work/lines" || fail "what is that?"
done
expect_exit 2 iopress --version -q
expect_one_line
expect_exit 2 iopress
expect_message 'no verb given'

# What the one says is what the other does, but for what a kernel may lack.
if grep -v '^files ' "$work/lines" | grep -q 'no, '; then
  expect_exit 1 iopress plugins --sandbox=on
else
  expect_exit 0 iopress plugins --sandbox=on
fi
