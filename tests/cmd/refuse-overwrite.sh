#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An existing output stays as it is without --force, and goes with it.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
iopress save "$work/source" "$work/image"
cp "$work/image" "$work/image.copy"
echo precious >"$work/precious"

expect_exit 1 iopress save "$work/source" "$work/precious"
expect_one_line
expect_message 'precious: will not be overwritten: File exists; choose another name; --force would'
expect_exit 1 iopress restore "$work/image" "$work/precious"
expect_message 'precious: will not be overwritten: File exists; choose another name; --force would'
test "$(cat "$work/precious")" = precious || fail "it was overwritten"
expect_absent "$work/precious.part"

iopress save --force "$work/source" "$work/precious"
iopress verify "$work/precious"
iopress restore --force "$work/image" "$work/precious"
expect_same "$work/source" "$work/precious"

# A failure with --force leaves the old file.
echo precious >"$work/precious"
head -c 6000 "$work/image.copy" >"$work/cut"
expect_exit 3 iopress restore --force "$work/cut" "$work/precious"
test "$(cat "$work/precious")" = precious || fail "lost by a failed restore"
