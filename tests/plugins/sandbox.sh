#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A codec that wants more than memory does not get it, the error names it and
# what it wanted, and nothing it made counts.

. "${abs_top_srcdir:-../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/plugins/common.sh"
requires python3

make_plugins hostile
python3 - "$work/source" <<'END'
import sys
with open(sys.argv[1], "wb") as source:
    for i in range(512):
        source.write((b"page %d " % i * 200).ljust(4096, b"\0"))
END
touch "$work/victim"

with_plugins save -c hostile "$work/source" "$work/image"
if ! with_plugins verify --sandbox=on "$work/image" 2>"$work/why"; then
  grep -q "^iopress: --sandbox=on: this " "$work/why" ||
    fail "--sandbox=on: $(cat "$work/why")"
  skip "no sandbox: $(cat "$work/why")"
fi
expect_exit 2 with_plugins verify --sandbox=maybe "$work/image"

# stopped CALL VERB...: exit status 1 and the names of both.
stopped ()
{
  local call=$1

  shift
  expect_exit 1 with_plugins "$@"
  expect_message "codec hostile called ($call), which no codec may"
}

# While it is not watched the codec does it, so that the test is one.
HOSTILE=open HOSTILE_TRACE=$work/trace \
  with_plugins save --sandbox=off -c hostile "$work/source" "$work/witness"
test -e "$work/trace" || fail "the codec did nothing"
rm "$work/trace" "$work/witness"

# Memory it can have, as much as it likes.
for threads in 1 8 40; do
  HOSTILE=malloc with_plugins save --force -T $threads -c hostile \
    "$work/source" "$work/much"
  HOSTILE=malloc with_plugins restore --force "$work/much" "$work/restored"
  expect_same "$work/source" "$work/restored"
done
rm "$work/much" "$work/restored"

while read -r HOSTILE call; do
  export HOSTILE HOSTILE_TRACE=$work/trace
  if [ "$HOSTILE" = unlink ]; then
    HOSTILE_TRACE=$work/victim
  fi
  stopped "$call" save -c hostile "$work/source" "$work/new"
  test ! -e "$work/new" || fail "an image of a codec that was stopped"
  stopped "$call" restore "$work/image" "$work/new" <"$work/victim"
  test ! -e "$work/new" || fail "a file of a codec that was stopped"
  stopped "$call" verify "$work/image" <"$work/victim"
  stopped "$call" repack "$work/image" "$work/new" <"$work/victim"
  stopped "$call" repack -c stored "$work/image" "$work/new" <"$work/victim"
  stopped "$call" recover "$work/image" "$work/new" <"$work/victim"
  rm -f "$work/new" "$work/new.part"
  test -e "$work/victim" || fail "the codec removed a file"
  test ! -e "$work/trace" || fail "the codec opened a file"
done <<'END'
open openat|open
unlink unlink|unlinkat
exec execve
socket socket
write write
read read
pread pread64
executable mprotect
map mmap
thread clone3|clone
kill kill
END

# In the main thread it has what the process as a whole has left.
iopress --version -v | grep -q '^files are closed to it: yes' || exit 0
mkdir "$work/elsewhere" "$work/place"
touch "$work/elsewhere/kept"
while read -r HOSTILE HOSTILE_TRACE; do
  export HOSTILE HOSTILE_TRACE=$work/elsewhere/$HOSTILE_TRACE
  with_plugins restore -T serial "$work/image" "$work/place/new"
  expect_same "$work/source" "$work/place/new"
  with_plugins verify -T serial "$work/image"
  with_plugins save -T serial --force -c hostile "$work/source" "$work/place/new"
  rm "$work/place/new"
  test "$(ls "$work/elsewhere")" = kept || fail "it could $HOSTILE"
done <<'END'
open trace
unlink kept
exec none
END
