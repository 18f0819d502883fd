#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A path gets its bytes as PATH.part, mode 0600, and its name at the end.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
iopress save "$work/source" "$work/image"
expect_absent "$work/image.part"
test "$(stat -c %a "$work/image")" = 600 || fail "mode of the image"

# While it runs, only the .part is there: the image comes through a pipe that
# stays open.
mkfifo "$work/fifo"
iopress restore - "$work/restored" <"$work/fifo" &
exec 5>"$work/fifo"
head -c 600000 "$work/image" >&5
for (( i = 0; i < 100; i++ )); do
  test ! -e "$work/restored.part" || break
  sleep 0.1
done
test -e "$work/restored.part" || fail "no .part while it runs"
expect_absent "$work/restored"
tail -c +600001 "$work/image" >&5
exec 5>&-
wait $!
expect_absent "$work/restored.part"
expect_same "$work/source" "$work/restored"
test "$(stat -c %a "$work/restored")" = 600 || fail "mode of the restored"
