#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What an earlier run left in OUTPUT.part.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
iopress save "$work/source" "$work/image"

# An unfinished image is worth nothing while its source is whole.
head -c 6000 "$work/image" >"$work/new.part"
iopress save "$work/source" "$work/new"
iopress verify "$work/new"
expect_absent "$work/new.part"

# Anything else may be.
rm "$work/new"
echo precious >"$work/new.part"
expect_exit 1 iopress save "$work/source" "$work/new"
expect_one_line
expect_message 'new\.part: left over from an earlier run: File exists; '
test "$(cat "$work/new.part")" = precious || fail "save overwrote it"

# restore judges what lies there by itself: only with --force, and never an
# image.
expect_exit 1 iopress restore "$work/image" "$work/new"
expect_message 'new\.part: left over from an earlier run: File exists; '
test "$(cat "$work/new.part")" = precious || fail "restore overwrote it"
iopress restore --force "$work/image" "$work/new"
expect_same "$work/source" "$work/new"
cp "$work/image" "$work/new.part"
expect_exit 1 iopress restore --force "$work/image" "$work/new"
expect_message 'new\.part: left over from an earlier run'
expect_same "$work/image" "$work/new.part"
