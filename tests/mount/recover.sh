#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the mount wrote, some of it twice, and made shorter: every reader reads
# it, and recover says of one that lost its end that it may be older.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/mount/common.sh"

requires_codec zstd

mounted -T 2 --chunk-size 256K
python3 - "$mnt/guest" "$work/plain" <<'END'
import os
import random
import sys

fds = [os.open(name, os.O_RDWR | os.O_CREAT, 0o600) for name in sys.argv[1:]]
noise = random.Random(3).randbytes(300000)


def each(function, *arguments):
    for fd in fds:
        function(fd, *arguments)


each(os.pwrite, b"hello" * 1000, 0)
for window in (7, 3, 20, 0, 11):
    each(os.pwrite, noise, window << 18)
each(os.pwrite, b"tail", 60 << 18)
each(os.fsync)
each(os.pwrite, b"again" * 3000, 3 << 18)
each(os.ftruncate, (20 << 18) + 77777)
each(os.fsync)
each(os.pwrite, b"more" * 3000, 7 << 18)
# With two names it stays as it is written.
os.link(sys.argv[1], sys.argv[1] + ".2")
each(os.close)
END
unmounted
image=$store/guest

iopress verify "$image"
iopress verify --fast "$image"
iopress info --map "$image" >/dev/null
iopress restore "$image" "$work/restored"
expect_same "$work/restored" "$work/plain"
if command -v zstd >/dev/null; then
  python3 "$abs_top_srcdir/contrib/iopress-extract" "$image" "$work/extracted"
  expect_same "$work/extracted" "$work/plain"
fi
iopress recover "$image" "$work/recovered" >"$work/report"
expect_same "$work/recovered" "$work/plain"
! grep uncertain "$work/report" || fail "a whole image is uncertain"
cp "$image" "$work/expanded"
iopress expand "$work/expanded"
expect_same "$work/expanded" "$work/plain"

# Without its end: what was written last in each window comes back.
index=$(tail -c 72 "$image" | od -An -tu8 -N 8 | tr -d ' ')
head -c "$index" "$image" >"$work/cut"
for reader in info verify "verify --fast" "info --map"; do
  # They are separate words.
  # shellcheck disable=SC2086
  expect_exit 3 iopress $reader "$work/cut"
  expect_message incomplete
done
expect_exit 3 iopress recover --force "$work/cut" "$work/recovered" \
  >"$work/report"
grep -q "last of their windows" "$work/report" || fail "$(cat "$work/report")"
cmp -n "$((20 << 18))" "$work/recovered" "$work/plain"
