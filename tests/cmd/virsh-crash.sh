#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# iopress-virsh save: killed at any time, a full disk, signals, two at once.
# The guest always runs or is in a file that the message names.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"
. "$abs_top_srcdir/tests/cmd/virsh-common.sh"

requires setsid
requires_codec zstd
make_memory --block pc.ram=24M,random

# start ARGUMENT...: in a process group of its own, $pid.
start ()
{
  setsid bash "$script" "$@" 2>"$work/stderr" >/dev/null &
  pid=$!
}

# start_waiting: a save, until the guest is in the file; virsh goes on for 2 s.
start_waiting ()
{
  new_guest
  echo wait >"$guest/mode"
  start save guest "$file"
  eventually test ! -e "$guest/running" || fail "virsh does not save"
}

expect_status ()
{
  local status=0

  wait $pid || status=$?
  test $status -eq "$1" ||
    fail "status $status instead of $1: $(cat "$work/stderr")"
}

# microseconds: the time.
microseconds ()
{
  echo "${EPOCHREALTIME/[!0-9]/}"
}

# How long a run takes when it is left alone.
new_guest
begin=$(microseconds)
start save -c zstd:6 -T 1 guest "$file"
expect_status 0
duration=$(($(microseconds) - begin))
expect_saved

# Killed with all its children, at moments that pass over the whole run.
declare -A outcomes=()
for (( i = 0; i < 12; i++ )); do
  new_guest
  start save -c zstd:6 -T 1 guest "$file"
  printf -v moment %07d $((duration * i / 11))
  sleep "${moment::-6}.${moment: -6}"
  kill -s KILL -- -$pid 2>/dev/null || :
  wait $pid 2>/dev/null || :
  if test -e "$guest/running"; then
    # Whatever there is, the guest does not need it.
    outcomes[running]=1
    continue
  fi
  if test -e "$file.sparse"; then
    outcomes[unfinished]=1
    # Until the last of the children is gone.
    flock -w 20 "$file.lock" true
    expect_exit 1 iopress_virsh save -c zstd:6 -T 1 guest "$file"
    finish
  else
    outcomes[finished]=1
  fi
  rm -f "$file.lock"
  expect_saved
done
test -n "${outcomes[unfinished]:-}" || fail "never killed while it packs"

# A signal to the script alone: it waits for virsh, and does not go on.
start_waiting
kill -s TERM $pid
expect_status 4
grep -q 'stopped by a signal' "$work/stderr"
finish
rm -f "$file.lock"
expect_saved

# Two at once with the same name; the lock outlives a script that is killed.
start_waiting
expect_exit 1 iopress_virsh save other "$file"
expect_message 'another iopress-virsh'
kill -s KILL $pid
wait $pid 2>/dev/null || :
expect_exit 1 iopress_virsh save other "$file"
expect_message 'another iopress-virsh'
sleep 2.5
expect_exit 1 iopress_virsh save other "$file"
expect_message 'only copy'
finish
rm -f "$file.lock"
expect_saved

# Not enough room for what iopress holds twice: enlarged, it goes on.
requires_root
requires mount umount
new_guest
mount -t tmpfs -o size=8M none "$work/images" || skip "cannot mount a tmpfs"
cleanup_fn umount "$work/images"
expect_exit 1 iopress_virsh save guest "$file"
expect_message 'has not been saved'
rm -f "$file".*
mount -o remount,size="$(( $(allocated "$guest/memory") + (256 << 10) ))" \
  "$work/images"
expect_exit 4 iopress_virsh save -c stored guest "$file"
expect_message 'No space left'
mount -o remount,size=200M "$work/images"
finish
rm -f "$file.lock"
expect_saved
