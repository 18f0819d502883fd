#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Two runs do not write the same output at a time.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
iopress save "$work/source" "$work/image"
hold_restore "$work/image" "$work/new"
expect_exit 1 iopress restore --force "$work/image" "$work/new"
expect_one_line
expect_message 'new\.part: another iopress is using it'
end_held_restore "$work/image"
expect_same "$work/source" "$work/new"
