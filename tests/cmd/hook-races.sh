#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The libvirt hook while saves are being packed: nobody waits for that, and
# nothing packs a guest that starts.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/hook-common.sh"

# What the caller of the tests has open is none of the hook's; 255 is this
# script.
for descriptor in /proc/$$/fd/*; do
  descriptor=${descriptor##*/}
  test "$descriptor" -le 2 || test "$descriptor" -eq 255 ||
    eval "exec $descriptor>&-"
done

# Stand-ins that take as long as the test lets them.
# shellcheck disable=SC2016
act_until_told=$set_magic'
finish () {
  test ! -e "$calls.ignore" || trap "" TERM
  echo $$ >"$calls.pid"
  until test -e "$calls.go"; do sleep 0.05; done
}
case $1 in
  save)
    exec 3>"$file.part"
    finish
    set_magic IOPRESS1
    rm "$file.part" ;;
  expand) test ! -e "$calls.slow" || finish; set_magic "QEVM\0\0\0\3" ;;
esac'
act_as "$act_until_told"

reset ()
{
  rm -f "$calls.go" "$calls.pid" "$calls.ignore" "$calls.slow" "$log"
  : >"$calls"
}

# count_calls VERB: how often iopress was called so.
count_calls ()
{
  grep -c -x "$1" "$calls" || :
}

called ()
{
  test "$(count_calls "$1")" -eq "$2"
}

expect_called ()
{
  eventually called "$1" "$2" ||
    fail "iopress $1 was called $(count_calls "$1") times, not $2"
}

# begin GUEST: a managed save; until iopress packs it.
begin ()
{
  make_save "$1"
  hook "$1" release end saved
  eventually test -s "$calls.pid" || fail "$1 is not being packed"
}

# is_gone PID: or nobody has asked yet how it ended.
is_gone ()
{
  case $(ps -o stat= -p "$1") in
    '' | Z*) return 0 ;;
    *) return 1 ;;
  esac
}

# The hook has ended, and let go of what libvirt listens to (see hook), with
# the packer at work: in a session of its own and with low priority.
begin guest
pid=$(<"$calls.pid")
test "$(ps -o ni= -p "$pid" | tr -d ' ')" = 19 || fail 'not the priority'
test "$(ps -o sid= -p "$pid")" != "$(ps -o sid= -p $$)" || fail 'the session'
test "$(readlink "/proc/$pid/cwd")" = / || fail 'the folder'
for descriptor in /proc/"$pid"/fd/[0-9]*; do
  case $(readlink "$descriptor") in
    /dev/null | "$locks"/* | "$work/program" | "$saves"/*.part | pipe:*) ;;
    *) fail "it has $(readlink "$descriptor")" ;;
  esac
done
# A start ends it, which would not end by itself, and finds the file whole.
restore guest
is_gone "$pid" || fail 'the packer goes on'
is_free guest || fail 'the lock is kept'
expect_stream guest QEVM
expect_logged 'guest: stopped packing'
expect_called expand 0

# It is told once, so that it has time to clean up.
reset
# shellcheck disable=SC2016
act_as 'exec 2>/dev/null
trap '\''echo told >>"$calls.told"'\'' TERM
echo $$ >"$calls.pid"
until test -s "$calls.told"; do sleep 0.05; done
sleep 0.5'
begin guest
restore guest
test "$(cat "$calls.told")" = told || fail 'told more than once'
act_as "$act_until_told"

# So does one from nothing, and another guest's does not.
reset
begin guest
pid=$(<"$calls.pid")
hook other prepare begin -
hook other restore begin -
is_gone "$pid" && fail 'another guest ended it'
hook guest prepare begin -
is_gone "$pid" || fail 'the packer goes on'
expect_stream guest QEVM

# Also one that does not listen, with what it has begun, but not with what is
# somebody else's.
reset
touch "$calls.ignore"
begin guest
pid=$(<"$calls.pid")
restore guest
is_gone "$pid" || fail 'the packer goes on'
test ! -e "$saves/guest.save.part" || fail 'something is left'
reset
touch "$calls.ignore"
begin guest
rm "$saves/guest.save" "$saves/guest.save.part"
echo precious >"$saves/guest.save.part"
hook guest prepare begin -
test -s "$saves/guest.save.part" || fail 'what is no packer'\''s is removed'
rm "$saves/guest.save.part"

# Also one whose shell was killed, and one that waits for its turn.
reset
begin guest
pid=$(<"$calls.pid")
make_save second
hook second release end saved
for packer in /proc/[0-9]*; do
  if test "$packer/fd/9" -ef "$locks/guest.lock" &&
     grep -q iopress-pack "$packer/cmdline"; then
    kill -KILL "${packer#/proc/}"
  fi
done
restore second
is_free second || fail 'the one that waits goes on'
is_gone "$pid" && fail 'the wrong one ended'
restore guest
is_gone "$pid" || fail 'the packer goes on'
is_free guest || fail 'the lock is kept'

# The file was exchanged after libvirt had opened it: the new one is expanded.
reset
begin guest
(
  exec 5<"$saves/guest.save"
  make_save guest LibvirtQemudSave 6 IOPRESS1
  cp "$saves/guest.save" "$saves/new"
  mv "$saves/new" "$saves/guest.save"
  hook guest restore begin -
)
expect_called expand 1
expect_stream guest QEVM

# The packer had exchanged it when it was told to end: the same, and what was
# replaced is only open where it does not keep the lock.
reset
# shellcheck disable=SC2016
act_as "$set_magic"'
case $1 in
  save)
    replaced=$file
    test ! "/proc/$PPID/fd/5" -ef "$file" || echo >>"$calls.kept"
    for descriptor in /proc/$$/fd/*; do
      test ! "$descriptor" -ef "$file" || rm "$calls.kept"
    done
    cp "$file" "$file.part"
    file=$file.part
    set_magic IOPRESS1
    mv "$file" "$replaced"
    echo $$ >"$calls.pid"
    sleep 60 ;;
  expand) set_magic "QEVM\0\0\0\3" ;;
esac'
begin guest
restore guest
expect_called expand 1
expect_stream guest QEVM
expect_logged 'guest: packed, '
test -e "$calls.kept" || fail 'what was replaced is not kept, or by iopress'
act_as "$act_until_told"

# What was replaced takes its room until the packer's shell, which has given up
# the lock already, lets go of it: a start that finds no room waits for that.
reset
make_save guest LibvirtQemudSave 6 IOPRESS1
# shellcheck disable=SC2016
act_as "$set_magic"'
test ! -e "$calls.full" || { echo "no room" >&2; exit 1; }
set_magic "QEVM\0\0\0\3"'
touch "$calls.full"
(
  exec 9<>"$locks/guest.lock"
  touch "$calls.slow"
  eventually test -e "$calls.go"
  rm "$calls.full"
) &
eventually test -e "$calls.slow"
restore guest &
expect_called expand 1
sleep 0.5
test ! -e "$log" || fail 'a start does not wait for room'
touch "$calls.go"
wait
expect_called expand 2
expect_stream guest QEVM
expect_logged 'guest: expanded$'
# There is nothing to wait for when nobody does.
reset
make_save guest LibvirtQemudSave 6 IOPRESS1
touch "$calls.full"
restore guest
expect_called expand 1
expect_stream guest IOPRESS1
expect_logged 'guest: not expanded: .*no room$'
rm "$calls.full"
act_as "$act_until_told"

# No more than at_once at a time, in the order in which they came.
for at_once in 1 3; do
  reset
  configure "at_once = $at_once"
  for number in 1 2 3 4 5; do
    begin "guest$number"
    sleep 0.2
  done
  sleep 2
  test "$(count_calls save)" -eq $at_once ||
    fail "$(count_calls save) at once instead of $at_once"
  touch "$calls.go"
  expect_called save 5
  for number in 1 2 3 4 5; do
    eventually is_free "guest$number"
    expect_stream "guest$number" IOPRESS1
  done
  grep '/guest[0-9]\.save' "$calls" >"$work/order"
  test $at_once -ne 1 || sort "$work/order" | cmp - "$work/order" ||
    fail 'not in the order of arrival'
done

# Two guests are expanded at the same time.
reset
touch "$calls.slow"
for number in 1 2; do
  restore "guest$number" &
done
expect_called expand 2
touch "$calls.go"
wait
expect_stream guest1 QEVM
expect_stream guest2 QEVM

# The same guest twice, as when libvirtd has died: one after the other, and the
# second finds nothing to do.
reset
touch "$calls.slow"
restore guest3 &
expect_called expand 1
restore guest3 &
sleep 1
expect_called expand 1
touch "$calls.go"
wait
expect_called expand 1
expect_stream guest3 QEVM

# An edit while it is packed: iopress refuses, and is asked again.
reset
configure
# shellcheck disable=SC2016
act_as "$set_magic"'
test -e "$calls.again" || {
  touch "$calls.again"
  sleep 0.1
  printf new | dd of="$file" bs=1 seek=150 conv=notrunc status=none
  echo "was changed while it was packed" >&2
  exit 1
}
set_magic IOPRESS1'
make_save guest
release guest
expect_called save 2
expect_stream guest IOPRESS1
# Without an edit it is not.
reset
act_as 'echo "no room" >&2; exit 1'
make_save guest
release guest
expect_called save 1
expect_logged 'guest: not packed: no room$'
# Nor when it was removed meanwhile.
reset
# shellcheck disable=SC2016
act_as 'rm "$file"; echo "was removed" >&2; exit 1'
release guest
expect_called save 1
expect_logged 'guest: not packed: was removed$'
test ! -e "$saves/guest.save" || fail 'the save came back'
