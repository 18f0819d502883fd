#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A source without permission: exit status 1 and no output.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
chmod 000 "$work/source"
mkdir -m 777 "$work/out"
chmod 755 "$work"
as_nobody=()
if test "$(id -u)" = 0; then
  requires setpriv
  as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  "${as_nobody[@]}" test -x "$abs_top_builddir/iopress" -a -r "$IOPRESS" \
    -a -w "$work/out" || skip "another user cannot reach the program"
fi
expect_exit 1 "${as_nobody[@]}" "$IOPRESS" save "$work/source" "$work/out/new"
expect_one_line
expect_message 'source: cannot be opened: Permission denied; somebody who may, such as root'
expect_absent "$work/out/new" "$work/out/new.part"
