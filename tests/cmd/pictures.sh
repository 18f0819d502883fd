#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The README's pictures are what their scripts make of the data beside them, and
# are for light and dark ground.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"

requires python3

pictures=$abs_top_srcdir/docs/pictures

# expect_picture NAME: the last command's output is it.
expect_picture ()
{
  expect_same "$work/picture" "$pictures/$1"
  python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' \
    "$pictures/$1"
  grep -q '^@media (prefers-color-scheme: dark)' "$pictures/$1" ||
    fail "$1 is for light ground only"
  grep -q "^!\[.*\](docs/pictures/$1)$" "$abs_top_srcdir/README.md" ||
    fail "the README does not show $1"
}

"$abs_top_srcdir/contrib/bench/chart-ways" "$pictures"/bench-*.json \
  >"$work/picture"
expect_picture ways.svg
"$abs_top_srcdir/contrib/bench/picture-map" "$pictures/map.txt" \
  >"$work/picture"
expect_picture map.svg

# What info --map shows now is what is drawn.
sed 's/\x1b\[[0-9]*m//g' "$pictures/map.txt" | head -n 4 >"$work/drawn"
truncate -s 64M "$work/source"
iopress save -c stored "$work/source" "$work/image"
iopress info --map "$work/image" | sed -n '/^Each/,$p' | head -n 4 >"$work/now"
expect_same "$work/drawn" "$work/now"
