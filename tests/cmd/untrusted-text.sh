#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a file or a path says cannot command the terminal, and JSON stays JSON.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires python3
make_mapped_ram --preset everything "$work/guest"
# Of the same length: ESC cannot stand in XML, but a C1 control can, as UTF-8 and
# as a byte, a broken sequence and U+202E.
LC_ALL=C sed -i 's/guest &lt;1/\xc3\xa9\xc2\x9b\x9b\xc3(\xe2\x80\xae!/' \
  "$work/guest"
iopress save "$work/guest" "$work/image"
iopress info "$work/image" >"$work/info"
grep -F -q -x 'domain         é\xc2\x9b\x9b\xc3(\xe2\x80\xae!> & co' \
  "$work/info" || fail "the domain is not in: $(cat -v "$work/info")"

# plain FILE: no control but the ends of lines, and UTF-8.
plain ()
{
  python3 - "$1" <<'PYTHON'
import sys

text = open(sys.argv[1], "rb").read().decode()
bad = [char for char in text if char != "\n" and
       (not char.isprintable() or char == "\ufffd")]
assert not bad, f"{bad!r} in {text!r}"
PYTHON
}

plain "$work/info"
iopress info --json "$work/image" >"$work/json"
plain "$work/json"
python3 - "$work/json" <<'PYTHON'
import json, sys

report = json.load(open(sys.argv[1], encoding="utf-8"))
assert report["domain"]["name"] == "é\x9b\ufffd\ufffd(\u202e!> & co", report
PYTHON

# Paths, words of the command line, operands of a command to go on with.
odd=$work/$(printf 'a\033]0;x\007\302\233\233\303(\342\200\256\303\251')
for verb in info verify expand; do
  expect_exit 1 iopress $verb "$odd"
  expect_one_line
  plain "$work/stderr"
  expect_message 'x1b\]0;x.x07.xc2.x9b.x9b.xc3\(.xe2.x80.xaeé'
done
expect_exit 2 iopress "$(printf '\302\233\033c')"
plain "$work/stderr"
expect_exit 2 iopress save --format="$(printf '\302\233\233')" "$odd" x
plain "$work/stderr"
