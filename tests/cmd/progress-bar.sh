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

# On a terminal of any width a line is a line, and there are no escape sequences;
# where none can be written over, nothing is.
requires python3
cat >"$work/on-terminal.py" <<'PYTHON'
import fcntl, os, pty, struct, sys, termios

columns, command = int(sys.argv[1]), sys.argv[2:]
child, master = pty.fork()
if child == 0:
    fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execvp(command[0], command)
output = b""
try:
    while part := os.read(master, 65536):
        output += part
except OSError:
    pass
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, output
sys.stdout.buffer.write(output.replace(b"\r\n", b"\n"))
PYTHON

# on_terminal COLUMNS [OPTION...]: what is written there.
on_terminal ()
{
  python3 "$work/on-terminal.py" "$1" "$IOPRESS" verify "${@:2}" "$work/image" \
    >"$work/shown"
}

for columns in 0 1 2 5 9 10 15 20 26 40 74 80 200; do
  TERM=xterm on_terminal $columns
  python3 - "$work/shown" "$columns" <<'PYTHON'
import re, sys

text = open(sys.argv[1], newline="").read()
columns = int(sys.argv[2]) or 80
assert text.endswith("\n") and text.isprintable() is False
assert "\033" not in text, text
lines = text[:-1].split("\r")
assert lines.pop(0) == "" and lines, text
assert all(len(line) < columns for line in lines), (columns, lines)
last = lines[-1].rstrip()
full = re.fullmatch(r"verify \[(#*)\] 100%  \S+ .iB/s", last)
if columns >= 60:
    assert full and len(full[1]) == 30, last
elif columns >= 40:
    assert full and 5 <= len(full[1]) < 30, last
elif columns >= 20:
    assert re.match(r"verify \[#{5,}\] 100%", last), last
else:
    assert last == "verify 100%"[:columns - 1], last
PYTHON
done
TERM=dumb on_terminal 80
test ! -s "$work/shown" || fail "on a dumb terminal: $(cat -v "$work/shown")"
(unset TERM; on_terminal 80)
test ! -s "$work/shown" || fail "without TERM: $(cat -v "$work/shown")"
TERM=dumb on_terminal 80 --progress=bar
grep -q '100%' "$work/shown" || fail "no bar although it was asked for"
