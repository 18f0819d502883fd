#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A path gets its bytes as PATH.part, mode 0600, and its name at the end.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
iopress save "$work/source" "$work/image"
expect_absent "$work/image.part"
test "$(stat -c %a "$work/image")" = 600 || fail "mode of the image"

# While it runs, only the .part is there.
hold_restore "$work/image" "$work/restored"
expect_absent "$work/restored"
end_held_restore "$work/image"
expect_absent "$work/restored.part"
expect_same "$work/source" "$work/restored"
test "$(stat -c %a "$work/restored")" = 600 || fail "mode of the restored"
