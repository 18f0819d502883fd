#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The memory of guests reaches no core file: none is written, and the buffers
# would not be in it.  A COMMAND may write one, as its caller may.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

# AddressSanitizer would switch them off itself.
export ASAN_OPTIONS=$ASAN_OPTIONS:disable_coredump=0
ulimit -S -c "$(ulimit -H -c)"
test "$(ulimit -c)" != 0 || skip "core files are switched off here for good"
make_raw "$work/source"
iopress save "$work/source" "$work/image"

# One that waits for its reader.
mkfifo "$work/fifo"
exec 9<>"$work/fifo"
"$IOPRESS" restore "$work/image" "$work/fifo" &
pid=$!
cleanup_fn kill "$pid"

# The flags of what buffer_allocate maps, a line each.
buffer_flags ()
{
  sed -n 's/^VmFlags: //p' "/proc/$pid/smaps" | grep -w hg
}
eventually buffer_flags >"$work/flags" ||
  test ! -e /sys/kernel/mm/transparent_hugepage || fail "no buffer is found"
sed -n 's/^Max core file size *//p' "/proc/$pid/limits" | grep -q '^0 ' ||
  fail "it could write a core file: $(cat "/proc/$pid/limits")"
! grep -v -w dd "$work/flags" || fail "a core file would have the buffers"

# shellcheck disable=SC2016 # for sh
test "$(iopress restore --tmpfile "$work" "$work/image" -- \
          sh -c 'ulimit -c')" = "$(ulimit -c)" ||
  fail "COMMAND got another limit"
