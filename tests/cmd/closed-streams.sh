#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Closed standard streams: no file may get their numbers and their text.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
# Without the wrapper: the shell would open files on the free numbers.
program=$abs_top_builddir/iopress
options=(--plugin-dir "$plugindir" --force --direct-io off)

# check: both ways with the given streams closed.
check ()
{
  iopress verify "$work/image"
  expect_same "$work/source" "$work/restored"
  rm "$work/image" "$work/restored"
}

for more in -v --progress=bar; do
  "$program" save "${options[@]}" $more "$work/source" "$work/image" 0<&-
  "$program" restore "${options[@]}" $more "$work/image" "$work/restored" 0<&-
  check
  "$program" save "${options[@]}" $more "$work/source" "$work/image" 2>&-
  "$program" restore "${options[@]}" $more "$work/image" "$work/restored" 2>&-
  check
  "$program" save "${options[@]}" $more "$work/source" "$work/image" \
    0<&- 1>&- 2>&-
  "$program" restore "${options[@]}" $more "$work/image" "$work/restored" \
    0<&- 1>&- 2>&-
  check
done

iopress save "$work/source" "$work/image"
expect_exit 1 iopress info "$work/image" 1>&-
expect_message 'standard output cannot be written'
expect_exit 2 iopress verify - 0<&-
expect_one_line
expect_exit 2 iopress save - "$work/new" 0<&-
expect_one_line
expect_absent "$work/new" "$work/new.part"
status=0
"$program" save "${options[@]}" "$work/source" - 1>&- || status=$?
test $status -eq 1 -o $status -eq 2 || fail "status $status: no stdout"
# The exit status tells even who cannot hear.
status=0
"$program" verify "$work/source" 2>&- || status=$?
test $status -eq 3 || fail "status $status without standard error"
