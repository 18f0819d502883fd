#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A signal while a pipe stalls: exit status 5 at once.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
iopress save -c stored "$work/source" "$work/image"
program=$abs_top_builddir/iopress
mkfifo "$work/fifo"
exec 6<>"$work/fifo"

has_ended ()
{
  ! kill -s 0 "$1" 2>/dev/null
}

begun=true

# stalled ARGUMENT...: runs it with the pipe as input and output, ends it with
# SIGTERM while it waits, half a second after the command $begun succeeds.
stalled ()
{
  local pid status=0 verb=$1

  shift
  "$program" "$verb" --plugin-dir "$plugindir" "$@" \
    <"$work/fifo" >"$work/fifo" 2>"$work/stderr" &
  pid=$!
  { eventually catches_term $pid && eventually $begun; } ||
    fail "$verb $* does not begin"
  sleep 0.5
  kill -s TERM $pid || fail "$verb $* did not wait"
  if ! eventually has_ended $pid; then
    kill -s KILL $pid
    fail "$verb $* goes on after SIGTERM"
  fi
  wait $pid || status=$?
  test $status -eq 5 || fail "exit status $status of $verb $*"
  expect_one_line
}

# A pipe that nobody opens.
mkfifo "$work/alone"

# ends_opening ARGUMENT...
ends_opening ()
{
  local pid status=0

  "$program" "$1" --plugin-dir "$plugindir" "${@:2}" 2>"$work/stderr" &
  pid=$!
  eventually catches_term $pid || fail "$* does not begin"
  sleep 0.5
  kill -s TERM $pid
  wait $pid || status=$?
  test $status -eq 5 || fail "exit status $status of $*"
  expect_one_line
}

ends_opening restore "$work/image" "$work/alone"
ends_opening save "$work/source" "$work/alone"
ends_opening verify "$work/alone"
# What must be seekable is refused without waiting for somebody to open it.
for verb in save recover; do
  expect_exit 2 timeout 60 "$program" $verb --plugin-dir "$plugindir" \
    "$work/alone" "$work/new"
  expect_message 'is not seekable'
done
expect_exit 2 timeout 60 "$program" save --discard --plugin-dir "$plugindir" \
  "$work/alone" "$work/new" 9<>"$work/alone"

# The output stalls with the pipe full, right after a block of the writer: what
# comes next waits for room, and finds none when the signal ends that.
head -c 12M /dev/urandom >"$work/noise"
begun=block_is_out

block_is_out ()
{
  test "$(stat -c %s "$work/head")" -eq $((4194304 - 65536))
}

for threads in serial 2; do
  head -c $((4194304 - 65536)) <"$work/fifo" >"$work/head" &
  stalled save -c stored -T $threads "$work/noise" -
  dd if="$work/fifo" of=/dev/null iflag=nonblock bs=64K status=none \
    2>/dev/null || true
done
begun=true

for threads in serial 2; do
  stalled verify -T $threads -
  head -c 20000 "$work/image" >&6
  stalled verify -T $threads -
  stalled restore -T $threads "$work/image" -
  # Empty the pipe again.
  dd if="$work/fifo" of=/dev/null iflag=nonblock bs=64K status=none \
    2>/dev/null || true
done
