#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# -T takes serial, 0 and a number, and nothing else.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
for threads in serial 0 1 2 3 8; do
  iopress save --force -T $threads "$work/source" "$work/image"
  iopress restore --force -T $threads "$work/image" "$work/restored"
  expect_same "$work/source" "$work/restored"
  iopress verify --threads=$threads "$work/image"
done
for threads in '' -1 1.5 2K many Serial 4097 99999999999999999999; do
  expect_exit 2 iopress save -T "$threads" "$work/source" "$work/new"
  expect_one_line
  expect_message '--threads takes a number from 0 to 4096, not "'
done
expect_absent "$work/new" "$work/new.part"
