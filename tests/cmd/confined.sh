#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Once its operands are open a verb can open nothing else, and does not try to,
# on any file system.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/lib/file-systems.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires strace
test -z "$VALGRIND" || skip "valgrind makes system calls of its own"
iopress --version -v | grep -q '^files are closed to it: yes' ||
  skip "$(iopress --version -v | tail -n 1)"

make_mapped_ram "$work/source"
calls=$work/calls
output=/dev/null

# confined VERB [ARGUMENT...]: it does what it is to do, and at some point gives
# up all other files; nothing that it asks for then is denied.
confined ()
{
  strace -f -qq -o "$calls" "$IOPRESS" "$@" >"$output" ||
    fail "$1 fails inside: $*"
  grep -q 'landlock_restrict_self(.*= 0' "$calls" || fail "$1 keeps all files"
  ! sed '1,/landlock_restrict_self(/d' "$calls" |
    grep -v '\<clone3\>\|\<rt_sigreturn\>' |
    grep -E ' = -1 E(ACCES|PERM|XDEV|NOSYS)' ||
      fail "$1 wants more: $*"
}

# The verbs that read, of what try_writing leaves in the folder $1.
try_reading ()
{
  local folder=$1

  confined save --estimate "$folder/source" "$folder/other"
  confined verify "$folder/image"
  confined verify "$folder/image" "$folder/image"
  confined info "$folder/image"
  confined info --state "$folder/image"
  confined save -c auto --direct-io=off --force "$folder/source" "$folder/image"
  confined restore --force --direct-io=off "$folder/image" "$folder/new"
  confined repack -c stored "$folder/image" "$folder/stored"
  confined recover --force "$folder/stored" "$folder/new"
  expect_same "$work/source" "$folder/new"
  confined iohelper "$folder/source" 9 9<"$folder/source"
}

# Those that write, in the folder $1.
try_writing ()
{
  local folder=$1

  cp "$work/source" "$folder/source"
  confined save "$folder/source" "$folder/image"
  confined restore "$folder/image" "$folder/new"
  expect_same "$work/source" "$folder/new"
  # FUSE cannot exchange names, nor bindfs give blocks back.
  if [ "$type" != FUSE ]; then
    confined save --replace "$folder/new"
  else
    cp "$folder/image" "$folder/new"
  fi
  confined expand "$folder/new"
  expect_same "$work/source" "$folder/new"
  if [ "$type" != FUSE ]; then
    confined save --discard "$folder/new" "$folder/discarded"
  fi
  confined save --resume "$folder/source" "$folder/image"
}

# With descriptors and pipes there is no folder.
try_streams ()
{
  local folder=$1

  output=$folder/out
  confined save "$work/source" -
  output=/dev/null
  confined restore - fd:9 <"$folder/out" 9<>"$folder/fd"
  expect_same "$work/source" "$folder/fd"
  confined save fd:8 fd:9 8<"$work/source" 9<>"$folder/fd"
  output=/dev/stdout
  confined restore fd:9 - 9<"$folder/fd" | cat >"$folder/copy"
  expect_same "$work/source" "$folder/copy"
  output=/dev/null
  confined verify - < <(cat "$folder/fd")
}

for type in ext4 xfs btrfs tmpfs; do
  have_file_system $type || continue
  mount_next $type 320M
  echo $type
  try_writing "$mountpoint"
done
mkdir "$work/below" "$work/fuse"
if command -v bindfs >/dev/null &&
   bindfs --no-allow-other "$work/below" "$work/fuse" 2>/dev/null; then
  cleanup_fn umount "$work/fuse"
  type=FUSE
  echo $type
  try_writing "$work/fuse"
fi
mkdir "$work/folder"
type=
try_writing "$work/folder"
try_reading "$work/folder"
try_streams "$work/folder"

