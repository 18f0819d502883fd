#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The libvirt hook ends well whatever goes wrong: libvirt deletes the save of a
# guest when a hook fails.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/hook-common.sh"

# However iopress ends: what it did not pack stays as it is, and what it did not
# expand, too.
for end in 'exit 1' 'exit 3' 'exit 5' 'exit 255' 'kill -SEGV $$' 'kill -9 $$' \
           'echo many; echo lines; head -c 100000 /dev/zero; exit 1' \
           'printf "one\ntwo\n" >&2; exit 1'; do
  act_as "$end"
  make_save guest
  cp "$saves/guest.save" "$work/before"
  rm -f "$log"
  release guest
  expect_logged 'guest: not packed: '
  expect_same "$work/before" "$saves/guest.save"
  make_save guest LibvirtQemudSave 6 IOPRESS1
  restore guest
  expect_logged 'guest: not expanded: '
  expect_stream guest IOPRESS1
  test "$(wc -l <"$log")" -eq 2 || fail "not one line each: $(cat "$log")"
done
expect_logged 'not expanded: .*/guest.save: one two'

# No iopress, or nothing that runs.
for program in "$work/missing" "$work" /dev/null no-such-program "$work/text"; do
  echo text >"$work/text"
  configure "iopress = $program"
  make_save guest
  release guest
  make_save guest LibvirtQemudSave 6 IOPRESS1
  restore guest
  expect_stream guest IOPRESS1
done
expect_logged 'not packed: .*no-such-program: not found'
configure
: >"$calls"

# An iopress that cannot tell what a file is, or tells nonsense: nothing is packed,
# and nothing of what is there goes; what libvirtd has open is expanded when it
# cannot be told.
for answer in 'exit 1' 'kill -9 $$' 'echo why >&2; exit 3' 'exit 0' \
              'echo state; echo "state  sa ve"; exit 0' \
              'head -c 100000 /dev/urandom; exit 0'; do
  act_as 'exit 0'
  sed -i "s|^test \"\$1\" != info.*|test \"\$1\" != info \|\| { $answer; }|" \
    "$work/program"
  make_save guest
  make_save left LibvirtQemudSave 6 'QEVM\0\0\0\3'
  mv "$saves/left.save" "$saves/guest.save.part"
  cp "$saves/guest.save" "$work/before"
  release guest
  ! grep -q -x save "$calls" || fail "$answer: packed"
  restore guest
  expect_same "$work/before" "$saves/guest.save"
  expect_same "$work/before" "$saves/guest.save.part"
  expect_logged 'guest: not packed: '
  case $answer in
    *'exit 0') : ;;
    *) grep -q -x expand "$calls" || fail "$answer: not expanded" ;;
  esac
  rm -f "$log" "$saves/guest.save.part"
  : >"$calls"
done

# No lock: nothing is packed, but what is packed is expanded.
act_as "$act_well"
rm -rf "$locks"
echo file >"$locks"
make_save guest
hook guest release end saved
expect_no_calls
expect_logged 'guest: not packed: .*guest\.lock: cannot be locked'
make_save guest LibvirtQemudSave 6 IOPRESS1
restore guest
expect_calls expand "$saves/guest.save" .
hook guest prepare begin -
rm "$locks"
mkdir -p "$locks/guest.lock"
make_save guest LibvirtQemudSave 6 IOPRESS1
restore guest
expect_calls expand "$saves/guest.save" .
hook guest prepare begin -
rmdir "$locks/guest.lock"

# No log, or none that takes a message.
for unwritable in /dev/full "$work/none/log" "$work"; do
  configure
  sed -i "s,^log.*,log = $unwritable," "$settings"
  make_save guest
  release guest
  restore guest
done
configure
sed -i 's,^log.*,log = syslog,' "$settings"
make_save guest
release guest
restore guest
configure
: >"$calls"

# Signals at any time: it goes on.
act_as "sleep 1; $act_well"
for signal in HUP INT QUIT PIPE ALRM TERM USR1 USR2; do
  make_save guest LibvirtQemudSave 6 IOPRESS1
  exec 5<"$saves/guest.save"
  sh "$hook" guest restore begin - </dev/null &
  pid=$!
  eventually test -s "$calls" || fail "iopress is not started"
  kill -s $signal $pid
  wait $pid || fail "ended by $signal"
  expect_calls expand "$saves/guest.save" .
  expect_stream guest QEVM
  exec 5<&-
done
# That ends its children, too, as when a service is stopped.
make_save guest LibvirtQemudSave 6 IOPRESS1
(
  exec 5<"$saves/guest.save"
  setsid sh "$hook" guest restore begin - </dev/null &
  pid=$!
  eventually test -s "$calls"
  kill -TERM -- -$pid
  wait $pid || fail 'ended with its children'
)
expect_stream guest IOPRESS1
: >"$calls"

# No process can be started, no descriptor opened; sh itself needs 12.
act_as "$act_well"
make_save guest LibvirtQemudSave 6 IOPRESS1
for limit in 12 13 14 16 20; do
  (
    ulimit -n $limit
    exec sh "$hook" guest restore begin -
  ) </dev/null || fail "with $limit descriptors"
done
if test "$(id -u)" = 0 && command -v setpriv >/dev/null; then
  chmod 755 "$work"
  setpriv --reuid 65534 --regid 65534 --clear-groups \
    prlimit --nproc=1 sh "$hook" guest restore begin - </dev/null ||
    fail 'without processes'
fi
