#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# fd:N for source, image and output.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
: >"$work/image"
iopress save fd:3 fd:4 3<"$work/source" 4>"$work/image"
iopress verify fd:5 5<"$work/image"
iopress info fd:5 5<"$work/image" | grep -q '^source  *5.0 MiB (5243219 ' ||
  fail "info of a descriptor"
iopress restore fd:3 fd:4 3<"$work/image" 4>"$work/restored"
expect_same "$work/source" "$work/restored"

# Open for reading and writing; where the descriptor stands does not count,
# and the old bytes go.
head -c 9000000 /dev/urandom >"$work/restored"
{ head -c 5000 >/dev/null
  iopress restore fd:0 fd:4; } <"$work/image" 4<>"$work/restored"
expect_same "$work/source" "$work/restored"

# An unlinked file.
exec 6<>"$work/gone"
rm "$work/gone"
iopress save fd:3 fd:6 3<"$work/source"
iopress restore --force fd:6 "$work/restored"
expect_same "$work/source" "$work/restored"
exec 6>&-

# After a failure the output is empty.
head -c 6000 "$work/image" >"$work/cut"
cat "$work/source" >"$work/restored"
expect_exit 3 iopress restore - fd:4 4<>"$work/restored" \
  < <(cat "$work/cut")
test ! -s "$work/restored" || fail "not emptied after a failure"

# What is refused at once leaves it alone.
cp "$work/source" "$work/restored"
expect_exit 3 iopress restore "$work/cut" fd:4 4<>"$work/restored"
expect_same "$work/source" "$work/restored"
