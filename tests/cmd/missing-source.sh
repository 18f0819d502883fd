#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A missing source or image: exit status 1 and no output.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

for verb in 'save X new' 'restore X new' 'info X' 'verify X'; do
  # shellcheck disable=SC2086
  set -- $verb
  expect_exit 1 iopress "$1" "$work/missing" ${3:+"$work/$3"}
  expect_one_line
  expect_message 'missing: cannot be opened: No such file or directory'
done
expect_exit 1 iopress save "$abs_top_srcdir/configure.ac" "$work/no/new"
expect_message 'no/new: its folder cannot be opened: No such file or directory'
expect_absent "$work/new" "$work/new.part"
