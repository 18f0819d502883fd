#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The bar is for terminals and for who asks; -q keeps quiet.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
iopress save "$work/source" "$work/image" 2>"$work/err"
test ! -s "$work/err" || fail "noise: $(cat "$work/err")"
iopress verify --progress=bar "$work/image" 2>"$work/err"
grep -q 'verify \[##*\] 100%  .*/s' "$work/err" ||
  fail "no full bar: $(cat -v "$work/err")"
test "$(tail -c 1 "$work/err" | od -An -tx1 | tr -d ' ')" = 0a ||
  fail "the bar does not end its line"
iopress verify -q --progress=bar "$work/image" 2>"$work/err"
test ! -s "$work/err" || fail "noise with -q: $(cat "$work/err")"
iopress save -v --force "$work/source" "$work/image" 2>"$work/err"
grep -q 'source: .* of pages packed into ' "$work/err" ||
  fail "-v says: $(cat "$work/err")"
