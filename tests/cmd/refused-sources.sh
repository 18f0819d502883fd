#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sources that must not be packed: exit status 3, why, and no output.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

# refused PRESET MESSAGE
refused ()
{
  make_mapped_ram --preset "$1" "$work/source"
  expect_exit 3 iopress save "$work/source" "$work/new"
  expect_one_line
  expect_message "source: .*($2)"
  expect_absent "$work/new" "$work/new.part"
}

refused unfinished 'incomplete|not finished|still running|never completed'
refused background 'background'
refused cut-tail 'cut|incomplete|end'
refused cut-devices 'cut|incomplete|end'
refused cut-pages 'cut|incomplete|end'
refused plain-sparse-cut 'cut off'
refused appended 'appended|follow|end'
