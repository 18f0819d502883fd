#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# File systems that say less of files than local ones do: new files belong to
# somebody else, links are not counted, a file's number goes with its name.

set -e
if [ -z "$IOPRESS_PRIVATE_MOUNTS" ] && [ "$(id -u)" = 0 ] &&
   unshare -m true 2>/dev/null; then
  export IOPRESS_PRIVATE_MOUNTS=yes
  exec unshare -m --propagation private bash "$0" "$@"
fi

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires_root
test -c /dev/fuse || skip "no /dev/fuse"

under=$work/under over=$work/over
mkdir "$under" "$over"
unmount ()
{
  ! mountpoint -q "$over" || umount -l "$over"
}
cleanup_fn unmount

make_raw "$work/raw"
make_mapped_ram --libvirt save --block pc.ram=1M,random "$work/ram" \
  --expected "$work/expected"
cp "$work/ram" "$work/source"
iopress save "$work/ram" "$work/packed"
size=$(stat -c %s "$work/packed")

# works: everything that ends under a name there.
works ()
{
  local o=$over/output

  rm -rf "${under:?}"/*
  iopress save "$work/ram" "$o"
  expect_absent "$o.part"
  iopress verify "$o"
  iopress save --force "$work/ram" "$o"
  expect_exit 1 iopress save "$work/ram" "$o"
  iopress restore "$o" "$over/restored"
  expect_same "$work/expected" "$over/restored"
  iopress restore --force "$o" "$over/restored"
  expect_same "$work/expected" "$over/restored"
  iopress recover --force "$o" "$over/restored"
  expect_same "$work/expected" "$over/restored"
  # What an earlier run left, whoever it belongs to: that runs of ours make it
  # like that is what shows that it is one.
  head -c $((size - 200)) "$work/packed" >"$under/left.part"
  chown --reference="$under/output" "$under/left.part"
  iopress save "$work/ram" "$over/left"
  head -c $((size - 200)) "$work/packed" >"$under/again.part"
  chown --reference="$under/output" "$under/again.part"
  iopress save --resume "$work/ram" "$over/again"
  iopress verify "$over/again"
  # A source that is given back meanwhile.
  cp "$work/ram" "$work/source"
  iopress save --discard --chunk-size 64K --discard-batch 128K \
    "$work/source" "$over/consumed"
  test "$(tr -d '\0' <"$work/source" | wc -c)" -eq 0 || fail "not consumed"
  iopress restore "$over/consumed" - | cmp - "$work/expected"
  # In place.
  cp "$work/packed" "$over/file"
  iopress expand "$over/file"
  expect_same "$work/expected" "$over/file"
  # Where names cannot be exchanged nothing is left either.
  cp "$work/ram" "$over/replaced"
  status=0
  iopress save --replace "$over/replaced" 2>"$work/stderr" || status=$?
  if [ $status = 1 ]; then
    grep -q 'cannot exchange two names' "$work/stderr" ||
      fail "another reason: $(cat "$work/stderr")"
    expect_same "$work/ram" "$over/replaced"
  else
    test $status = 0 || fail "exit status $status"
    iopress verify "$over/replaced"
  fi
  test -z "$(find "$under" -name '*.packed-*' -o -name '*.part' -o \
    -name '*.probe')" || fail "left over: $(ls "$under")"
}

# A hard link to FILE that has the name of its aside, where it cannot be seen
# that it is one.
links_are_no_copies ()
{
  iopress save --image-id 00112233445566778899aabbccddeeff "$work/ram" \
    "$work/known" --force
  cp "$work/known" "$under/linked"
  ln "$under/linked" "$under/linked.packed-00112233"
  iopress expand "$over/linked"
  expect_same "$work/expected" "$under/linked"
  expect_absent "$under/linked.packed-00112233"
}

tried=0
if command -v bindfs >/dev/null; then
  for options in --create-for-user=nobody \
                 '--create-for-user=nobody --force-user=nobody'; do
    # shellcheck disable=SC2086
    bindfs $options "$under" "$over" 2>/dev/null || continue
    echo "bindfs $options"
    works
    links_are_no_copies
    unmount
    tried=1
  done
else
  echo "not tried: bindfs is not installed"
fi

server=
for path in /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server \
            /usr/lib/ssh/sftp-server; do
  test ! -x $path || server=$path
done
if test -n "$server" && command -v sshfs >/dev/null; then
  # In place of ssh: there is nobody else.
  printf '#!/bin/sh\nexec %s\n' "$server" >"$work/ssh"
  chmod +x "$work/ssh"
  for options in '' '-o disable_hardlink' '-o follow_symlinks'; do
    # shellcheck disable=SC2086
    sshfs -o ssh_command="$work/ssh" $options "here:$under" "$over" ||
      skip "sshfs does not work here"
    echo "sshfs $options"
    works
    links_are_no_copies
    unmount
    tried=1
  done
else
  echo "not tried: sshfs or its server is not installed"
fi
test $tried = 1 || skip "neither bindfs nor sshfs is there"
