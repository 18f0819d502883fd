#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# iopress-virsh looks before it touches a guest: at what stands in the way of
# its lock, at a QEMU that would crash, and at a folder where no blocks can be
# given back.

# What it mounts nobody else sees, and ends with it.
if test -z "$IOPRESS_PRIVATE_MOUNTS" && test "$(id -u)" = 0 &&
   unshare -m true 2>/dev/null; then
  export IOPRESS_PRIVATE_MOUNTS=yes
  exec unshare -m --propagation private bash "$0" "$@"
fi

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"
. "$abs_top_srcdir/tests/cmd/virsh-common.sh"

requires_codec zstd
make_memory --block pc.ram=8M,random

# refused MESSAGE ARGUMENT...: the guest is as it was.
refused ()
{
  local message=$1

  shift
  expect_exit 1 timeout -s KILL 60 bash "$script" "$@"
  expect_message "$message"
  expect_untouched
  rm -f "$guest/calls"
}

# The lock: no link is followed, no pipe waited for, nothing else locked or
# removed.
new_guest
echo precious >"$work/victim"
for what in 'ln -s ../victim' 'ln -s ../none' 'ln -s /dev/null' mkfifo mkdir \
            'cp ../victim' touch; do
  (cd "$work/images" && $what "$file.lock")
  before=$(stat -c '%F %i %s %Y' "$file.lock")
  refused 'lock cannot be created, or is no lock' save guest "$file"
  test "$(stat -c '%F %i %s %Y' "$file.lock")" = "$before" ||
    fail "$what: the lock is another"
  rm -rf "$file.lock"
done
grep -q -x precious "$work/victim"
test ! -e "$work/none" || fail 'a link was followed'
test -z "$(ls -A "$work/images")"
# Another user's is not ours.
if test "$(id -u)" = 0; then
  echo iopress-virsh >"$file.lock"
  chown 65534 "$file.lock"
  refused 'is no lock' save guest "$file"
fi
# One that a killed run has left is.
echo iopress-virsh >"$file.lock"
chown "$(id -u)" "$file.lock"
iopress_virsh save guest "$file"
expect_saved

# Nor may it be followed or waited for when it was put there a moment ago.
if command -v strace >/dev/null; then
  new_guest
  if strace -f -qq -e trace=open,openat -o "$work/trace" bash "$script" save \
       guest "$file"; then
    grep -F '.lock"' "$work/trace" >"$work/opened"
    ! grep -v -e O_EXCL -e O_NONBLOCK.*O_NOFOLLOW "$work/opened" ||
      fail 'opened so that something else could be waited for'
  fi
fi

# A restore past the page cache would leave QEMU so that a save crashes.
new_guest
iopress_virsh save --bypass-cache guest "$file"
expect_exit 0 iopress_virsh restore --bypass-cache "$file"
expect_message 'restored without$'
! grep 'restore.*--bypass-cache' "$guest/calls" || fail 'virsh is told so'
rm "$file"
# Somebody else has done it, or a save with it failed.
echo true >"$guest/direct"
iopress_virsh save guest "$file"
expect_saved
new_guest
echo fail >"$guest/mode"
expect_exit 1 iopress_virsh save --bypass-cache guest "$file"
test "$(cat "$guest/direct")" = false || fail 'the next save would crash'
# QEMU cannot be asked: only a save that cannot crash is made.
new_guest
touch "$guest/deaf"
refused 'save with it$' save guest "$file"
iopress_virsh save --bypass-cache guest "$file"
expect_saved
new_guest
for answer in exit\ 1 'echo "{\"error\":{}}"'; do
  mkdir "$work/more"
  printf '#!/bin/bash\ncase $* in *qemu-monitor*) %s; exit ;; esac\n%s\n' \
    "$answer" "exec $work/bin/virsh \"\$@\"" >"$work/more/virsh"
  chmod 755 "$work/more/virsh"
  PATH=$work/more:$PATH refused 'save with it$' save guest "$file"
  rm -r "$work/more"
done

# No blocks can be given back in the folder.
requires_root
requires bindfs umount
test -n "$IOPRESS_PRIVATE_MOUNTS" || skip 'no mounts of its own'
new_guest
mkdir "$work/behind"
# The folder is a mount now.
new_guest_there ()
{
  rm -f "$work/images"/* "$guest/calls" "$guest/restored"
  : >"$guest/running"
}
bindfs "$work/behind" "$work/images" || skip 'bindfs cannot mount'
cleanup_fn umount "$work/images"
# Then there must be room for two, which is known before.
echo $(($(df -P -k "$work" | awk 'NR == 2 { print $4 }') / 2)) >"$guest/kib"
refused 'may need [0-9]* MiB, and [0-9]* MiB are free' save guest "$file"
rm "$guest/kib"
refused 'does not tell how much memory' save guest "$file"
test -z "$(ls -A "$work/images")" || fail "left: $(ls -A "$work/images")"
echo 65536 >"$guest/kib"
expect_exit 0 iopress_virsh save guest "$file"
expect_message 'no blocks can be given back there; .*sparse stays whole'
expect_saved
# What is told to finish it does so there, too, and only a whole image lets the
# guest's other copy go.
for what in 'save*.sparse*) exit 1' 'save*.sparse*) kill -KILL $$' \
            'verify*) exit 3'; do
  new_guest_there
  mkdir "$work/more"
  printf '#!/bin/bash\ncase $* in %s ;; esac\nexec %s "$@"\n' "$what" \
    "$work/bin/iopress" >"$work/more/iopress"
  chmod 755 "$work/more/iopress"
  PATH=$work/more:$PATH expect_exit 4 iopress_virsh save guest "$file"
  rm -r "$work/more"
  expect_same "$guest/memory" "$file.sparse"
  sed -n 's/^.*finish with: //p' "$work/stderr" >"$work/first"
  expect_exit 1 iopress_virsh save guest "$file"
  expect_message 'only copy'
  sed -n 's/^.*finish with: //p' "$work/stderr" | cmp - "$work/first"
  ! grep -q -e --discard "$work/first" || fail "it cannot succeed"
  finish
  rm -f "$file.lock"
  expect_saved
done
