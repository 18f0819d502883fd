#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# restore --tmpfile: what COMMAND finds, its status, and when it is not run.
# What stands in quotes and braces is for COMMAND.
# shellcheck disable=SC2016,SC1083,SC2094,SC2002

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
iopress save "$work/source" "$work/image"
mkdir "$work/folder"

expect_nothing_left ()
{
  test -z "$(ls -A "$work/folder")" ||
    fail "left over: $(ls -A "$work/folder")"
}

# tmpfile [OPTION...] IMAGE -- COMMAND...
tmpfile ()
{
  iopress restore --tmpfile "$work/folder" "$@"
}

# What a program may ask about itself.  The shell adds nothing to it.
cat >"$work/self.py" <<'PYTHON'
import os, re

print(os.getcwd(), os.umask(0), os.environ.get("HOME"))
# Signals 32 and 33 are glibc's own: no program can put them back.
OWN = 3 << 31
with open("/proc/self/status") as status:
    for name, mask in re.findall("(Sig(?:Blk|Ign|Cgt)):\t(.*)", status.read()):
        print(name, hex(int(mask, 16) & ~OWN))
for fd in sorted(map(int, os.listdir("/proc/self/fd"))):
    try:
        print(fd, os.readlink(f"/proc/self/fd/{fd}"))
    except OSError:
        pass        # that of listdir
PYTHON

# The file: complete, sparse, by its path and by its descriptor, read only and
# from its beginning, without a name, and nobody else's.
for options in '' '-T serial' '--direct-io=off'; do
  # shellcheck disable=SC2086
  tmpfile $options "$work/image" -- cmp {} "$work/source"
  # shellcheck disable=SC2086
  tmpfile $options "$work/image" -- bash -c 'cat <&"$1"' bash {fd} |
    cmp - "$work/source"
  expect_nothing_left
done
tmpfile "$work/image" -- bash -e -c '
  path=$1 folder=$2 source=$3 copy=$4
  test "${path##*/}" = "$5"
  test "$(stat -L -c "%h %a %u" "$path")" = "0 600 $(id -u)"
  test -z "$(ls -A "$folder")"
  ! echo >&"$5"
  cp --sparse=always "$path" "$copy"' \
  bash {} "$work/folder" "$work/source" "$work/copy" {fd} 2>/dev/null
expect_sparse "$work/copy" "$work/source"
test "$(tmpfile "$work/image" -- echo {}:a{}{fd}-{fd} '{ }' | tr -d 0-9)" \
  = '/proc//fd/:a/proc//fd/- { }' || fail "placeholders are not filled"
# Another program that is not its child opens the path.
mkfifo "$work/path" "$work/done"
cmp "$(cat "$work/path")" "$work/source" >"$work/result" 2>&1 || : &
reader=$!
tmpfile "$work/image" -- bash -c 'echo "$1" >"$2"; cat "$3" >&2' bash {} \
  "$work/path" "$work/done" &
runner=$!
for (( i = 0; i < 100; i++ )); do
  kill -s 0 $reader 2>/dev/null || break
  sleep 0.1
done
wait $reader
echo >"$work/done"
wait $runner
test ! -s "$work/result" || fail "$(cat "$work/result")"

# All else is as it would be without iopress.  No shell is in between, which
# would change some of it.
requires python3
cd "$work/folder"
for mask in '' TERM,USR1,CHLD; do
  for ignored in '' INT,PIPE,CHLD,XFSZ; do
    env --block-signal=$mask --ignore-signal=$ignored \
      python3 "$work/self.py" 7<"$work/image" >"$work/report"
    mv "$work/report" "$work/alone"
    env --block-signal=$mask --ignore-signal=$ignored \
      "$abs_top_builddir/iopress" restore --plugin-dir "$plugindir" \
      --tmpfile . "$work/image" -- \
      python3 "$work/self.py" 7<"$work/image" >"$work/report"
    grep -v "^[0-9]* $work/folder/#[0-9]* (deleted)$" "$work/report" |
      diff "$work/alone" - || fail "is not as without, but for the descriptor"
    test "$(wc -l <"$work/report")" -eq $(( $(wc -l <"$work/alone") + 1 )) ||
      fail "not one more descriptor: $(cat "$work/report")"
  done
done
cd "$work"
test "$(echo input | tmpfile "$work/image" -- cat)" = input ||
  fail "standard input is not handed on"

# The image on standard input: there is nothing else to read.
for name in - fd:0; do
  tmpfile $name -- sh -c 'cmp "$1" "$2"; readlink /proc/self/fd/0; cat' \
    sh {} "$work/source" <"$work/image" >"$work/result"
  test "$(cat "$work/result")" = /dev/null || fail "input of $name"
done
cat "$work/image" | tmpfile - -- cmp {} "$work/source"
tmpfile fd:7 -- cmp {} "$work/source" 7<"$work/image"

# Statuses.
for status in 0 1 2 3 5 77 255; do
  got=0
  tmpfile "$work/image" -- sh -c "exit $status" || got=$?
  test $got -eq $status || fail "status $got instead of $status"
done
for signal in TERM KILL SEGV; do
  got=0
  tmpfile "$work/image" -- sh -c "kill -s $signal \$\$" || got=$?
  test $got -eq $(( 128 + $(kill -l $signal) )) ||
    fail "status $got after SIG$signal"
done
got=0
tmpfile "$work/image" -- no-such-command 2>"$work/stderr" || got=$?
test $got -eq 127 || fail "status $got for a command that is not there"
expect_one_line
expect_message 'no-such-command: cannot be run: No such file'
got=0
tmpfile "$work/image" -- "$work/source" 2>"$work/stderr" || got=$?
test $got -eq 126 || fail "status $got for what is no program"
expect_message 'source: cannot be run: Permission denied'
expect_nothing_left

# Not run unless all is right, and the last progress line is out before it is.
# never STATUS [ARGUMENT]...
never ()
{
  expect_exit "$@" -- touch "$work/run"
  expect_one_line
  expect_absent "$work/run"
  expect_nothing_left
}
size=$(stat -c %s "$work/image")
for offset in $(( size / 2 )) $(( size - 90 )); do
  cp "$work/image" "$work/damaged"
  printf '\x5a\xa5' |
    dd of="$work/damaged" bs=1 seek=$offset conv=notrunc status=none
  never 3 tmpfile "$work/damaged"
  never 3 tmpfile - <"$work/damaged"
  never 3 tmpfile - < <(cat "$work/damaged")
done
head -c $(( size - 1 )) "$work/image" >"$work/damaged"
never 3 tmpfile "$work/damaged"
never 3 tmpfile - < <(cat "$work/damaged")
never 3 tmpfile "$work/source"
never 1 tmpfile "$work/none"
never 1 iopress restore --tmpfile "$work/none" "$work/image"
never 1 iopress restore --tmpfile "$work/image" "$work/image"
tmpfile --progress-fd 7 "$work/image" -- grep -q '"done"' "$work/lines" \
  7>"$work/lines"

# The command line.
never 2 tmpfile --force "$work/image"
expect_message '--force'
never 2 tmpfile -- "$work/image"
expect_message 'one -- must stand before COMMAND'
never 2 tmpfile --no-such-option "$work/image"
expect_exit 2 tmpfile "$work/image" touch "$work/run"
expect_message 'one -- must stand before COMMAND'
expect_exit 2 tmpfile "$work/image" --
expect_message 'missing arguments'
expect_exit 2 tmpfile "$work/image"
expect_exit 2 iopress restore --tmpfile
expect_exit 2 iopress restore "$work/image" "$work/new" "$work/more"
expect_message 'too many arguments'
expect_absent "$work/run" "$work/new"
# Words of COMMAND that mean something to iopress do not here.
test "$(tmpfile "$work/image" -- echo --help -T fd:99 --)" \
  = '--help -T fd:99 --' || fail "arguments of COMMAND are read"
PATH=$work/bin:$PATH
mkdir "$work/bin"
for name in fd:99 fd:1; do
  printf '#!/bin/sh\ncmp "$1" "$2" && echo right\n' >"$work/bin/$name"
  chmod +x "$work/bin/$name"
  tmpfile --progress-fd 1 "$work/image" -- $name {} "$work/source" \
    >"$work/lines"
  grep -q '^right$' "$work/lines" || fail "$name was taken for a descriptor"
done
# IMAGE is a file.
never 2 tmpfile fd:99
expect_message 'fd:99: descriptor 99'
cp "$work/image" "$work/copy"
never 2 tmpfile --progress-fd 7 "$work/copy" 7<>"$work/copy"
expect_message 'lines of --progress-fd 7'
never 2 tmpfile --progress-fd 7 fd:7 7<>"$work/copy"
expect_same "$work/image" "$work/copy"
