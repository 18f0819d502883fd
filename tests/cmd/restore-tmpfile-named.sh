#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# restore --tmpfile where files cannot be without a name: it goes at once.
# What stands in quotes and braces is for COMMAND.
# shellcheck disable=SC2016,SC2086

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

test -z "$VALGRIND" || skip "another library is preloaded"
inject=$abs_top_builddir/tests/faults/.libs/inject.so
test -f "$inject" || skip "tests/faults/inject.la has not been built"
make_raw "$work/source"
iopress save "$work/source" "$work/image"
mkdir "$work/folder"

# refused HOW COMMAND...: O_TMPFILE, the first open in the folder, fails.
options=
refused ()
{
  local how=$1

  shift
  ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 \
    LD_PRELOAD=$inject IOPRESS_FAULT_FOLDER=$work/folder \
    IOPRESS_FAULT=open:1:$how "$abs_top_builddir/iopress" restore \
    $options --plugin-dir "$plugindir" --tmpfile "$work/folder" "$work/image" -- "$@"
}

for how in EOPNOTSUPP EINVAL; do
  refused $how env -u LD_PRELOAD bash -e -c '
    cmp "$1" "$2"
    readlink "$1" | grep -q "/\.iopress-...... (deleted)$"
    test "$(stat -L -c "%h %a" "$1")" = "0 600"
    test -z "$(ls -A "$3")"' bash {} "$work/source" "$work/folder"
done
expect_exit 1 refused EIO touch "$work/run"
expect_message 'temporary file in .*/folder: cannot be opened: Input/output'
expect_absent "$work/run"
test -z "$(ls -A "$work/folder")" || fail "left: $(ls -A "$work/folder")"

# Nor can they be opened again: COMMAND is not run, and what is found out before
# the image is read costs no time.
for how in ENOENT empty; do
  export IOPRESS_FAULT_UNNAMED=$how
  for options in '' --direct-io=off; do
    expect_exit 1 refused EOPNOTSUPP touch "$work/run"
    test "$(grep -c '^iopress: ' "$work/stderr")" = 1 || fail "not one line"
    expect_message 'temporary file in .*/folder: .*opened .*: choose another'
    expect_absent "$work/run"
    test -z "$(ls -A "$work/folder")" || fail "left: $(ls -A "$work/folder")"
  done
done
unset IOPRESS_FAULT_UNNAMED
