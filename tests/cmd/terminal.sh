#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a person sees on a terminal of tmux: the bar, its end by Ctrl-C, messages
# beside it, the map, and in which colours.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires tmux
test -z "$VALGRIND" || skip "what valgrind says stands on the screen, too"
requires_codec zstd

# Names of sockets are short.
TMUX_TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/iopress-tmux.XXXXXX")
export TMUX_TMPDIR
cleanup_fn rm -rf "$TMUX_TMPDIR"
cleanup_fn eval 'tmux kill-server 2>/dev/null'

# screen [OPTION...]: what stands there now.
screen ()
{
  tmux capture-pane -p "$@" | sed -e 's/ *$//' -e '/^$/d'
}

shows ()
{
  screen | grep -E -q -e "$1"
}

# types TEXT: and Enter.  What stood there goes.
types ()
{
  tmux send-keys -R "$1" Enter
}

prompts ()
{
  test "$(screen | tail -n 1)" = '$'
}

# expect_shown REGEX
expect_shown ()
{
  eventually shows "$1" || fail "no line '$1' in:" "$(screen)"
}

# expect_no_wrap [REGEX]: no line goes on in the next one, after the first that
# matches.  (-J joins them.)
expect_no_wrap ()
{
  test "$(screen | sed "0,/${1:-^}/d" | wc -l)" -eq \
    "$(screen -J | sed "0,/${1:-^}/d" | wc -l)" || fail "lines wrap: $(screen)"
}

has_columns ()
{
  types "clear; stty size"
  eventually prompts && shows "^60 $1$"
}

# The programs are told a little later than tmux.
resize ()
{
  tmux resize-window -x "$1" -y 60
  eventually has_columns "$1"
}

# Some windows of data in a TiB: with a few of them in, there is much left.
windows=20
truncate -s 1T "$work/source"
for (( window = 0; window < windows; window++ )); do
  head -c 1M /dev/urandom | dd of="$work/source" bs=1M seek=$((window * 256)) \
    conv=notrunc iflag=fullblock status=none
done
iopress save "$work/source" "$work/image"
mkfifo "$work/fifo"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$IOPRESS" >"$work/iop"
chmod 755 "$work/iop"

# restore_in_part REGEX: runs as far as a bar that matches.
restore_in_part ()
{
  types "clear; ./iop restore - out <fifo"
  exec 5>"$work/fifo"
  for (( window = 0; window < windows; window++ )); do
    dd if="$work/image" bs=1M skip=$window count=1 status=none >&5
    sleep 0.3
    ! shows "$1" || return 0
  done
  fail "no line '$1' in:" "$(screen)"
}

(cd "$work" && unset NO_COLOR && PS1='$ ' ENV='' \
  tmux -u -f /dev/null new-session -d -x 80 -y 60 sh -i)
eventually shows '^\$'
restore_in_part '^restore \[\.{30}\]   0%  [0-9.]+ [KMG]iB/s  [0-9]+ (min|h) left$'
tmux send-keys C-c
eventually prompts || fail "no prompt after Ctrl-C: $(screen)"
exec 5>&-
expect_no_wrap
screen >"$work/seen"
grep -E -q '^restore \[\.{30}\]   0%  [0-9.]+ [KMG]iB/s  [0-9]+ [a-z]+ left$' \
  "$work/seen" || fail "the bar of what was cancelled: $(cat "$work/seen")"
grep -q '^iopress: standard input: cancelled by .*; nothing is lost$' "$work/seen" ||
  fail "after Ctrl-C: $(cat "$work/seen")"
test "$(wc -l <"$work/seen")" -eq 3 || fail "more lines: $(cat "$work/seen")"
expect_absent "$work/out" "$work/out.part"

# A message beside the bar has a line of its own.
for command in "save -v --force source again" "verify -v image" \
               "repack -v --force -c stored image again"; do
  types "clear; ./iop $command"
  expect_shown '^iopress: .*(packed into|all whole|instead of)'
  expect_shown "^${command%% *} \[#{30}\] 100%  [0-9.]+ [KMGT]iB/s$"
done

# Names are shown as they are written.
types "clear; ./iop verify gäste.iop"
expect_shown '^iopress: gäste.iop: .*No such file'

# The map, as wide as there is room, coloured where that is wanted: noise is red,
# text green.
truncate -s 256M "$work/small"
head -c 10M /dev/urandom | dd of="$work/small" conv=notrunc status=none
dd of="$work/small" bs=1M seek=10 count=10 conv=notrunc iflag=fullblock \
  status=none < <(yes 'a line of text')
iopress save "$work/small" "$work/map"

# sees_map COLUMNS ENVIRONMENT [MORE]: the screen of that width.
sees_map ()
{
  test "$1" = "$(tmux display-message -p '#{window_width}')" || resize "$1"
  types "clear; $2 ./iop info --map map${3:-}"
  eventually prompts
  expect_no_wrap '^records'
  screen -e >"$work/seen"
}

escape=$'\033'
sees_map 80 ''
grep -q "^ *0 B |$escape\[31m#\{10\}$escape\[32m\.\{10\} *$escape.*| *42 % " \
  "$work/seen" || fail "map of 80 columns: $(cat -v "$work/seen")"
grep -q "^$escape\[32m\.$escape.* to $escape\[31m#$escape" "$work/seen" ||
  fail "legend: $(cat -v "$work/seen")"
sees_map 40 ''
grep -q "^ *0 B |$escape\[31m#\{10\}" "$work/seen" ||
  fail "map of 40 columns: $(cat -v "$work/seen")"
sees_map 19 ''
grep -q "^|$escape\[31m#\{10\}$escape\[32m\.\{6\}$escape.*|$" "$work/seen" ||
  fail "map of 19 columns: $(cat -v "$work/seen")"
sees_map 80 NO_COLOR=1
grep -q "^ *0 B |#\{10\}\.\{10\} *| *42 % " "$work/seen" ||
  fail "map without colours: $(cat -v "$work/seen")"
for plain in 'NO_COLOR=1:' 'TERM=dumb:' ': | cat'; do
  sees_map 100 "${plain%%:*}" "${plain#*:}"
  ! grep -q "$escape" "$work/seen" || fail "$plain: $(cat -v "$work/seen")"
done
sees_map 100 NO_COLOR=
grep -q "$escape\[31m#" "$work/seen" || fail "an empty NO_COLOR counts"

# A bar in a narrow terminal.
resize 30
restore_in_part '^restore \[\.{5,}\]   0%$'
expect_no_wrap
tmux send-keys C-c
eventually prompts
exec 5>&-
