#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# iohelper: full disks, size limits, broken pipes; exit status 1 and one
# message, and no byte in the file that did not come.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/iohelper-common.sh"

head -c 30000000 /dev/urandom >"$work/data"

# expect_prefix FILE: holds the beginning of the data and nothing else.
expect_prefix ()
{
  head -c "$(stat -c %s "$1")" "$work/data" | cmp - "$1"
}

if test -c /dev/full; then
  expect_exit 1 "$helper" /dev/full 5 5>/dev/full < <(cat "$work/data")
  expect_text "$helper: failure with /dev/full: Unable to write /dev/full:\
 No space left on device"
  expect_exit 1 "$helper" P 5 5<"$work/data" >/dev/full
  expect_text "$helper: failure with P: Unable to write stdio:\
 No space left on device"
fi

# A limit of the size, with the signal for it ignored and not.
expect_signal ()
{
  local wanted=$1 status=0

  shift
  "$@" 2>"$work/stderr" || status=$?
  test $status -eq "$wanted" || fail "status $status: $*"
}
kinds=(write)
if direct_works; then
  kinds+=(write,direct)
fi
for kind in "${kinds[@]}"; do
  for limit in 4 20480; do
    : >"$work/file"
    (ulimit -f $limit
     IGNORE_SIGNALS=1 expect_exit 1 run_helper "$kind" "$work/file" 5 \
       < <(cat "$work/data")
     expect_text "$helper: failure with $work/file: Unable to write $work/file:\
 File too large")
    expect_prefix "$work/file"
    : >"$work/file"
    (ulimit -f $limit
     expect_signal 153 run_helper "$kind" "$work/file" 5 \
       < <(cat "$work/data"))
  done
  # Never hit: the end of the file does not go beyond it either.
  : >"$work/file"
  (ulimit -f 30720
   run_helper "$kind" "$work/file" 5 < <(cat "$work/data"))
  expect_same "$work/data" "$work/file"
done

# A reader that goes away.
kinds=(read)
if direct_works; then
  kinds+=(read,direct)
fi
for kind in "${kinds[@]}"; do
  { IGNORE_SIGNALS=1 run_helper "$kind" "$work/data" 5 2>"$work/stderr"
    echo $? >"$work/status"; } | head -c 5 >/dev/null || :
  test "$(cat "$work/status")" = 1 || fail "status $(cat "$work/status")"
  expect_text "$helper: failure with $work/data: Unable to write stdio:\
 Broken pipe"
  { run_helper "$kind" "$work/data" 5 2>"$work/stderr"
    echo $? >"$work/status"; } | head -c 5 >/dev/null || :
  test "$(cat "$work/status")" = 141 || fail "status $(cat "$work/status")"
done

# A full file system.
requires_root
requires mount mkfs.ext4 losetup
full=$work/full
mkdir "$full"

# fill MOUNT-ARGUMENT...
fill ()
{
  local kind

  mount "$@" "$full" 2>/dev/null || return 0
  cleanup_fn umount "$full"
  for kind in write write,direct; do
    if ! with_fd "$kind" "$full/file" 5 true 2>/dev/null; then
      continue
    fi
    expect_exit 1 run_helper "$kind" "$full/file" 5 < <(cat "$work/data")
    expect_text "$helper: failure with $full/file: Unable to write $full/file:\
 No space left on device"
    expect_prefix "$full/file"
    rm "$full/file"
  done
  umount "$full"
  unset '_cleanup[-1]'
}

fill -t tmpfs -o size=10M tmpfs
truncate -s 20M "$work/disk"
mkfs.ext4 -q "$work/disk"
fill -o loop "$work/disk"
