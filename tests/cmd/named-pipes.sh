#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A named pipe as output or image is used as it is, not replaced.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
mkfifo "$work/fifo"
cat "$work/fifo" >"$work/image" &
iopress save "$work/source" "$work/fifo"
wait $!
test -p "$work/fifo" || fail "the pipe was replaced"
iopress verify "$work/image"
cat "$work/image" >"$work/fifo" &
iopress restore "$work/fifo" "$work/restored"
wait $!
expect_same "$work/source" "$work/restored"
