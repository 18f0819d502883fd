#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The folder of managed saves is QEMU's, too: whatever stands there under a name
# that the hook uses, the hook neither waits for it nor goes where it leads, and
# removes none of it.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/hook-common.sh"

requires python3
save=$saves/guest.save
victim=$work/victim
make_save victim LibvirtQemudSave 6 IOPRESS1
mv "$saves/victim.save" "$victim"
cp "$victim" "$work/victim.before"

# plant WHAT NAME
plant ()
{
  case $1 in
    pipe) mkfifo "$2" ;;
    pipe_link) ln -s "$work/pipe" "$2" ;;
    link) ln -s "$victim" "$2" ;;
    dangling) ln -s "$work/none" "$2" ;;
    terminal) ln -s /dev/tty "$2" ;;
    endless) ln -s /dev/zero "$2" ;;
    folder) mkdir "$2" && echo precious >"$2/file" ;;
    socket) python3 -c 'import socket, sys, os
os.chdir(sys.argv[1])
socket.socket(socket.AF_UNIX).bind(sys.argv[2])' "${2%/*}" "${2##*/}" ;;
    unreadable) echo precious >"$2" && chmod 000 "$2" ;;
  esac
}

# kind NAME: what there is, a link as a link.
kind ()
{
  stat -c '%F %i %s' "$1"
}

# hook_in_time ARGUMENT...: fails if it waits.
hook_in_time ()
{
  timeout -s KILL 20 sh "$hook" "$@" </dev/null || fail "waits: $*"
}

mkfifo "$work/pipe"
act_as 'exit 0'
for what in pipe pipe_link link dangling terminal endless folder socket \
            unreadable; do
  # In place of the save itself there is nothing to do.
  plant $what "$save"
  before=$(kind "$save")
  hook_in_time guest release end saved
  eventually is_free guest || fail "$what: packed for ever"
  hook_in_time guest restore begin -
  hook_in_time guest prepare begin -
  test "$(kind "$save")" = "$before" || fail "$what: the save is another"
  expect_no_calls
  rm -rf "$save"

  # Beside a save that is whole it goes for nothing.
  make_save guest
  for name in .part .packed-01234567 .packed-01234567.part .lock; do
    plant $what "$save$name"
  done
  before=$(kind "$save".part; kind "$save".packed-01234567)
  hook_in_time guest release end saved
  eventually is_free guest || fail "$what: packed for ever"
  expect_calls save --replace -c zstd:1 -T 1 "$save" .
  hook_in_time guest restore begin - 5<"$save"
  expect_no_calls
  # And a packed one is expanded.
  make_save guest LibvirtQemudSave 6 IOPRESS1
  hook_in_time guest restore begin - 5<"$save"
  expect_calls expand "$save" .
  test "$(kind "$save".part; kind "$save".packed-01234567)" = "$before" ||
    fail "$what: $(ls -l "$saves")"
  test ! -d "$save.part" || grep -q precious "$save.part/file"
  rm -rf "$save"*
done
expect_same "$work/victim.before" "$victim"
test ! -e "$work/none"
! grep -q 'removed' "$log" || fail "$(cat "$log")"

# Whatever a name was when it was looked at, it is opened so that nothing else
# can be waited for or followed.  Stand-ins for programs that open nothing.
requires strace
act_as 'exit 0'

# look ARGUMENT...: the hook's opens in the folder of saves.
look ()
{
  strace -f -qq -e trace=open,openat -o "$work/trace" sh "$hook" "$@" \
    </dev/null 2>"$work/strace.err" || skip "strace does not work here"
  grep -F "\"$saves/" "$work/trace" >>"$work/opened" || :
}

: >"$work/opened"
aside=$save.packed-350a360a
make_save guest LibvirtQemudSave 6 IOPRESS1
cp "$save" "$aside"
make_save guest
cp "$save" "$save.part"
cp "$save" "$save.packed-01234567.part"
exec 5<"$save"
look guest restore begin -
look guest release end saved
eventually is_free guest
echo 'restore = any' >>"$settings"
make_save guest LibvirtQemudSave 6 IOPRESS1
look guest restore begin -
exec 5<&-
for name in guest.save guest.save.part guest.save.packed-350a360a \
            guest.save.packed-01234567.part; do
  grep -q "$name\"" "$work/opened" || fail "$name is not looked at"
done
! grep -v -e O_NONBLOCK.*O_NOFOLLOW -e O_NOFOLLOW.*O_PATH -e O_DIRECTORY \
  "$work/opened" ||
  fail 'opened so that something else could be waited for'

# What is no file is no lock.
make_save piped
mkfifo "$locks/piped.lock"
hook_in_time piped release end saved
expect_logged 'piped: not packed: .*piped\.lock: cannot be locked'
hook_in_time piped restore begin - 5<"$saves/piped.save"
rm "$locks/piped.lock"

# Locks in a folder where others could put links are none.
chmod 777 "$locks"
ln -s "$victim" "$locks/other.lock"
make_save other
hook_in_time other release end saved
expect_logged 'other: not packed: .*other\.lock: cannot be locked'
make_save other LibvirtQemudSave 6 IOPRESS1
: >"$calls"
hook_in_time other restore begin - 5<"$saves/other.save"
expect_same "$work/victim.before" "$victim"
# Nobody reads the log.
mkfifo "$work/log-pipe"
sed -i "s,^log.*,log = $work/log-pipe," "$settings"
hook_in_time other release end saved
