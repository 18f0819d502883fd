#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A folder as source, image or output is refused.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
iopress save "$work/source" "$work/image"
mkdir "$work/folder"
for verb in info verify; do
  expect_exit 1 iopress $verb "$work/folder"
  expect_one_line
  expect_message 'folder: .*Is a directory'
done
expect_exit 1 iopress save "$work/folder" "$work/new"
expect_message 'folder: .*Is a directory'
expect_exit 1 iopress save --force "$work/source" "$work/folder"
expect_message 'folder: .*Is a directory'
expect_exit 1 iopress restore --force "$work/image" "$work/folder"
expect_message 'folder: .*Is a directory'
expect_exit 1 iopress save "$work/source" "$work/nowhere/new"
expect_message 'nowhere/new.*: No such file or directory'
expect_exit 1 iopress save "$work/source" "$work/image/new"
expect_message 'image/new.*: Not a directory'
expect_absent "$work/new" "$work/new.part"
