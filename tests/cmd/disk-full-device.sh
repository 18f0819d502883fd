#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# /dev/full: exit status 1 and one line.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

test -c /dev/full || skip "there is no /dev/full"
make_raw "$work/source"
iopress save "$work/source" "$work/image"
for output in - /dev/full fd:4; do
  expect_exit 1 iopress save "$work/source" $output >/dev/full 4>/dev/full
  expect_one_line
  expect_message 'No space left on device'
  expect_exit 1 iopress restore "$work/image" $output >/dev/full 4>/dev/full
  expect_one_line
  expect_message 'No space left on device'
done
for verb in "info $work/image" "info --json $work/image" plugins --version; do
  # shellcheck disable=SC2086
  expect_exit 1 iopress $verb >/dev/full
  expect_one_line
  expect_message 'standard output cannot be written: No space left on device'
done
