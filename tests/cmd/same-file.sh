#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Source and output the same file: refused before it is emptied.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
iopress save "$work/source" "$work/image"
cp "$work/source" "$work/source.copy"
cp "$work/image" "$work/image.copy"

expect_exit 2 iopress save "$work/source" fd:4 4<>"$work/source"
expect_one_line
expect_same "$work/source" "$work/source.copy"
expect_exit 2 iopress restore "$work/image" fd:4 4<>"$work/image"
expect_one_line
expect_same "$work/image" "$work/image.copy"
expect_exit 2 iopress save "$work/source" - 1<>"$work/source"
expect_one_line
expect_same "$work/source" "$work/source.copy"
