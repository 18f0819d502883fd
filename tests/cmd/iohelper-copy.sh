#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# iohelper: what comes out is what went in, of any size, both ways, through
# O_DIRECT or not, with the descriptors that libvirt passes and with others.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/iohelper-common.sh"

mib=1048576
sizes=(0 1 511 4096 65535 65536 65537 $((mib - 1)) $mib $((mib + 1))
       $((mib + 65536)) $((4 * mib)) $((5 * mib + 12345)) $((70 * mib + 1)))
kinds=(cached)
if direct_works; then
  kinds+=(direct)
fi
head -c $((70 * mib + 1)) /dev/urandom >"$work/data"

# flags ACCESS KIND
flags ()
{
  test "$2" = direct && echo "$1,direct" || echo "$1"
}

# round_trip SIZE KIND WRITE-FD READ-FD
round_trip ()
{
  head -c "$1" "$work/data" >"$work/input"
  : >"$work/file"
  head -c "$1" "$work/data" |
    run_helper "$(flags write "$2")" "$work/file" "$3"
  cmp "$work/input" "$work/file" || fail "saved: $1 bytes, $2"
  run_helper "$(flags read "$2")" "$work/file" "$4" | cat >"$work/output"
  cmp "$work/input" "$work/output" || fail "restored: $1 bytes, $2"
}

for kind in "${kinds[@]}"; do
  for size in "${sizes[@]}"; do
    round_trip "$size" $kind 1 0
  done
  round_trip $((3 * mib + 7)) $kind 5 9
done

# The verb, in a bare environment; a stream that comes in drips.
for kind in "${kinds[@]}"; do
  : >"$work/file"
  { head -c 100; sleep 0.1; head -c 65500; sleep 0.1; cat; } <"$work/input" |
    with_fd "$(flags write $kind)" "$work/file" 7 \
      env -i "$abs_top_builddir/iopress" iohelper NAME 7
  expect_same "$work/input" "$work/file"
  with_fd "$(flags read $kind)" "$work/file" 7 \
    env -i "$abs_top_builddir/iopress" iohelper NAME 7 |
    { head -c 100; sleep 0.2; cat; } >"$work/output"
  expect_same "$work/input" "$work/output"
done

# Files in place of pipes.
: >"$work/file"
run_helper write "$work/file" 5 <"$work/input"
expect_same "$work/input" "$work/file"
run_helper read "$work/file" 5 >"$work/output"
expect_same "$work/input" "$work/output"

# Without O_DIRECT the file keeps what stands before and behind.
printf 'abcdefghij' >"$work/file"
printf XYZ | run_helper write,offset=3 "$work/file" 5
printf 'abcXYZghij' | cmp - "$work/file"
printf XYZ | run_helper write,append "$work/file" 5
printf 'abcXYZghijXYZ' | cmp - "$work/file"
run_helper read,offset=10 "$work/file" 5 | cat >"$work/output"
printf XYZ | cmp - "$work/output"

# O_DIRECT and O_APPEND: the kernel puts every write at the end.
if direct_works; then
  : >"$work/file"
  run_helper write,direct,append "$work/file" 5 < <(cat "$work/input")
  expect_same "$work/input" "$work/file"
fi

# Not as root.
if test "$(id -u)" = 0 && command -v setpriv >/dev/null; then
  place=$(mktemp -d)
  cleanup_fn rm -rf "$place"
  chmod 755 "$place"
  cp "$abs_top_builddir/iopress" "$place/libvirt_iohelper"
  for kind in "${kinds[@]}"; do
    : >"$work/file"
    with_fd "$(flags write $kind)" "$work/file" 1 \
      setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all \
      env -i "$place/libvirt_iohelper" NAME 1 < <(cat "$work/input")
    expect_same "$work/input" "$work/file"
  done
fi
