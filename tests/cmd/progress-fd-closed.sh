#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --progress-fd of a closed descriptor: refused, never lines in the output.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
iopress save "$work/source" "$work/image"
# Without the wrapper, so that the program's own files get the low numbers.
program=$abs_top_builddir/iopress
for fd in 3 4 5 6 7 8 9; do
  for direct in auto off; do
    expect_exit 2 "$program" restore --plugin-dir "$plugindir" --force \
      --direct-io $direct --progress-fd $fd "$work/image" "$work/new" \
      3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
    expect_one_line
    expect_message '--progress-fd'
    expect_absent "$work/new" "$work/new.part"
  done
done
# Open, but not for writing.
expect_exit 2 iopress save --progress-fd 7 "$work/source" "$work/new" \
  7</dev/null
expect_absent "$work/new" "$work/new.part"
