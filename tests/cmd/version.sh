#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --version prints name and version on standard output.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

expect_exit 0 iopress --version >"$work/out"
grep -E -x -q 'iopress [0-9]+\.[0-9]+(\.[0-9]+)?' "$work/out" ||
  fail "--version says: $(cat "$work/out")"
